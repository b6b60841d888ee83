"""The image input: columns of pictures of any kind, and every way they can be wrong."""

import io
import json
import zlib

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import save_file

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, ReadError, Severity
from polyclinic.inputs.image import Image
from polyclinic.layers.pictures import backbones
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL


def kind(**keys):
    return Image("film", Image.Options.model_validate_json(json.dumps({"column": "path", **keys})))


def noise(*shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.fixture
def write(tmp_path):
    """Images (arrays, bytes or None) to the cells of a table."""

    def write(*contents, cache=None):
        names = []
        for number, content in enumerate(contents):
            names.append(None if content is None else f"{number}.png")
            if isinstance(content, bytes):
                (tmp_path / names[-1]).write_bytes(content)
            elif content is not None:
                Pillow.fromarray(content).save(tmp_path / names[-1])
        return ColumnCells(pl.DataFrame({"path": names}, {"path": pl.String}), tmp_path, "cohort.csv", cache)

    return write


def rows(*index):
    return TrainRows(np.array(index))


def findings(call, error=ReadError):
    with pytest.raises(error) as caught:
        call()
    return {finding.name: finding for finding in caught.value.findings}


# ---------------------------------------------------------------- reading and bad input


def test_all_faults_of_a_column_come_together_by_row(write, tmp_path):
    whole = io.BytesIO()
    Pillow.fromarray(noise(40, 40)).save(whole, "PNG")
    pages = io.BytesIO()
    Pillow.new("L", (4, 4)).save(pages, "TIFF", save_all=True, append_images=[Pillow.new("L", (4, 4), 9)])
    bomb = whole.getvalue()[:8] + _header(60000, 60000) + whole.getvalue()[33:]
    contents = [noise(9, 9), b"", whole.getvalue()[:200], b"no image at all", bomb, pages.getvalue(), b"", noise(5, 5)]
    cells = write(*contents)
    frame = pl.concat([cells.frame, pl.DataFrame({"path": ["gone.png"]})])
    found = findings(lambda: kind().read(ColumnCells(frame, tmp_path, "cohort.csv")))
    assert {name: finding.rows for name, finding in found.items()} == {
        "empty_file": (2, 7),
        "damaged_image": (3,),
        "unknown_image": (4,),
        "image_too_large": (5,),
        "several_pages": (6,),
        "no_such_file": (9,),
    }
    message = "\n".join(map(str, found.values()))
    assert 'cohort.csv column "path": ' in message
    assert "(rows 2, 7)" in message
    assert 'missing = "allow"' in message
    assert ".png" not in message  # a path may name a patient


def _header(width, height):
    body = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    return b"\0\0\0\r" + body + zlib.crc32(body).to_bytes(4, "big")


def test_allowed_faults_are_masked_and_told(write):
    records = kind(missing="allow").read(write(noise(9, 9), b"", None, noise(9, 9, seed=1)))
    told = {finding.name: finding for finding in records.check()}
    assert told["empty_file"].severity is Severity.WARNING
    assert told["empty_file"].rows == (2,)
    assert told["absent_image"].severity is Severity.NOTE
    assert told["absent_image"].rows == (3,)
    fitted = kind(missing="allow").fit(records, rows(0, 1, 2, 3))
    tensors = fitted.prepare(records).collate(np.arange(4))
    assert tensors.present.tolist() == [True, False, False, True]
    assert (tensors.values[1:3] == 0).all()


def test_an_empty_cell_stops_unless_allowed(write):
    records = kind().read(write(noise(9, 9), None))
    (finding,) = records.check()
    assert finding.severity is Severity.ERROR
    assert finding.rows == (2,)


def test_no_such_column(write):
    found = findings(lambda: Image("film", Image.Options(column="pth")).read(write(noise(9, 9))), CohortError)
    assert 'Did you mean "path"?' in str(next(iter(found.values())))


def test_a_column_of_numbers_holds_no_paths(tmp_path):
    cells = ColumnCells(pl.DataFrame({"path": [1.0, 2.0]}), tmp_path, "cohort.csv")
    assert "not_paths" in findings(lambda: kind().read(cells), CohortError)


def test_doubtful_images_are_told(write):
    contents = [noise(9, 9), np.full((9, 9), 3, np.uint8), noise(5, 20), noise(9, 9, dtype=np.uint16)]
    told = {f.name: f for f in kind().read(write(*contents)).check()}
    assert told["blank_image"].rows == (2,)
    assert told["tiny_image"].rows == (3,)
    assert "mixed_depths" in told
    assert {f.severity for f in told.values()} == {Severity.WARNING}
    assert kind().read(write(noise(9, 9))).check() == []


def test_unknown_and_wrong_options():
    for keys in ({"flip": "both"}, {"flips": "yes"}, {"size": 4}, {"size": 5000}, {"shift": 1.0}, {"tilt": -1.0}):
        with pytest.raises(ValueError, match="validation error"):
            kind(**keys)
    assert kind(size=[32, 48], window=[40, 400]).options.size == (32, 48)


def test_dicom_and_raster_in_one_column(write, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3"
    dataset.Rows = dataset.Columns = 8
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME1"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PixelData = np.full((8, 8), 4095, "<u2").tobytes()
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    cells = write(noise(9, 9))
    frame = pl.concat([cells.frame, pl.DataFrame({"path": ["a.dcm"]})])
    records = kind().read(ColumnCells(frame, tmp_path, "cohort.csv"))
    assert records.decoded.frame(1).pixels.max() == 0  # inverted: the highest value is black
    assert records.properties()["format"].tolist() == ["PNG", "DICOM"]
    assert kind().fit(records, rows(0, 1)).prepare(records).stack.pixels.dtype == np.uint16


# ---------------------------------------------------------------- what is learned, and from whom


def test_size_colour_and_intensity_come_from_training_rows(write):
    contents = [noise(20, 20), noise(20, 20, seed=1), noise(90, 90, 3)]
    records = kind().read(write(*contents))
    plan = kind().fit(records, rows(0, 1)).plan
    assert (plan.height, plan.width, plan.channels, plan.architecture) == (20, 20, 1, "resnet18")
    assert np.isclose(plan.mean[0], np.mean(contents[:2]) / 255)
    assert np.isclose(plan.spread[0], np.std(contents[:2]) / 255)
    assert kind().fit(records, rows(0, 1, 2)).plan.channels == 3


def test_options_overrule(write):
    records = kind(size=[24, 16], colour="rgb", encoder="vit").read(write(noise(20, 20)))
    plan = kind(size=[24, 16], colour="rgb", encoder="vit").fit(records, rows(0)).plan
    assert (plan.height, plan.width, plan.channels, plan.architecture) == (24, 16, 3, "vit")
    assert kind(size=32, colour="grey").fit(records, rows(0)).plan.height == 32


def test_training_images_are_centred_and_scaled(write):
    records = kind().read(write(*(noise(12, 12, seed=seed) for seed in range(6))))
    fitted = kind().fit(records, rows(*range(6)))
    pixels = fitted.prepare(records).collate(np.arange(6)).values
    assert pixels.shape == (6, 1, 12, 12)
    assert abs(float(pixels.mean())) < 1e-5
    assert abs(float(pixels.std()) - 1) < 1e-2


def test_colour_batches_lie_channels_last(write):
    records = kind().read(write(noise(12, 12, 3), noise(12, 12, 3, seed=1)))
    fitted = kind().fit(records, rows(0, 1))
    pixels = fitted.prepare(records).collate(np.array([1, 0, 1])).values
    assert pixels.shape == (3, 3, 12, 12)
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pixels[0], pixels[2])


def test_sizes_depths_and_colours_of_one_column(write):
    contents = [noise(30, 20), noise(9, 44, 3), noise(17, 17, dtype=np.uint16), noise(60, 60, 4)]
    records = kind(size=32).read(write(*contents))
    fitted = kind(size=32).fit(records, rows(0, 1, 2, 3))
    tensors = fitted.prepare(records).collate(np.arange(4))
    assert tensors.values.shape == (4, 3, 32, 32)
    assert tensors.present.all()
    assert torch.isfinite(tensors.values).all()


def test_the_cache_changes_nothing(write, tmp_path):
    contents = [noise(12, 12, seed=seed) for seed in range(3)]
    plain, cached = (kind().read(write(*contents, cache=cache)) for cache in (None, tmp_path / "cache"))
    again = kind().read(write(*contents, cache=tmp_path / "cache"))
    fitted = kind().fit(plain, rows(0, 1))
    for records in (cached, again):
        assert kind().fit(records, rows(0, 1)).plan == fitted.plan
        assert np.array_equal(fitted.prepare(records).stack.pixels, fitted.prepare(plain).stack.pixels)
    assert list((tmp_path / "cache").iterdir())


# ---------------------------------------------------------------- augmentation and network


def small(write, count=8, **keys):
    records = kind(missing="allow", **keys).read(write(*(noise(12, 12, seed=seed) for seed in range(count))))
    fitted = kind(missing="allow", **keys).fit(records, rows(*range(count)))
    return fitted, fitted.prepare(records)


def test_defaults_never_flip(write):
    _, ready = small(write, count=64)
    tensors = ready.collate(np.arange(64))
    moved, movement = ready.augment(tensors, torch.Generator().manual_seed(1))
    assert (torch.det(movement.affine[:, :, :2]) > 0).all()
    assert torch.equal(moved.present, tensors.present)
    assert not torch.equal(moved.values, tensors.values)


@pytest.mark.parametrize(
    ("keys", "signs"),
    [
        ({"flips": "horizontal"}, {(1, 1), (-1, 1)}),
        ({"flips": "both"}, {(1, 1), (-1, 1), (1, -1), (-1, -1)}),
        ({"rotations": "quarter"}, {(1, 1), (-1, -1), (0, 0)}),
    ],
)
def test_flips_and_rotations_where_asked(write, keys, signs):
    _, ready = small(write, count=64, tilt=0.0, zoom=0.0, shift=0.0, **keys)
    affine = ready.augment(ready.collate(np.arange(64)), torch.Generator().manual_seed(1))[1].affine
    assert {(int(a.round()), int(b.round())) for a, b in zip(affine[:, 0, 0], affine[:, 1, 1], strict=True)} == signs


def test_no_movement_is_told_as_still(write):
    _, ready = small(write, tilt=0.0, zoom=0.0, shift=0.0, brightness=0.0, contrast=0.0)
    tensors = ready.collate(np.arange(8))
    moved, movement = ready.augment(tensors, torch.Generator().manual_seed(1))
    assert movement is STILL
    assert torch.equal(moved.values, tensors.values)


@pytest.mark.parametrize("encoder", ["auto", "densenet121", "convnext", "vit"])
def test_encoder(write, encoder):
    fitted, ready = small(write, encoder=encoder)
    tensors = ready.collate(np.arange(8))
    network = fitted.encoder(32, Size.TINY, None).eval()
    encoded = network(tensors)
    assert encoded.tokens.shape == (8, 1, 32)
    assert encoded.present.shape == (8, 1)
    assert encoded.maps[0].shape[0] == 8


def test_absent_images_do_not_enter_the_statistics_of_a_training_batch(write):
    contents = [noise(12, 12, seed=seed) for seed in range(6)]
    with_absent = [contents[0], None, *contents[1:], None]
    seen = []
    for images in (contents, with_absent):
        records = kind(missing="allow").read(write(*images))
        fitted = kind(missing="allow").fit(records, rows(*range(len(images))))
        torch.manual_seed(0)
        network = fitted.encoder(32, Size.TINY, 0.0).train()
        encoded = network(fitted.prepare(records).collate(np.arange(len(images))))
        seen.append((encoded, network.state_dict()["network.bn1.running_mean"]))
    (plain, mean), (masked, same_mean) = seen
    torch.testing.assert_close(masked.tokens[[0, 2, 3, 4, 5, 6]], plain.tokens, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(mean, same_mean)
    assert (masked.tokens[[1, 7]] == 0).all()
    assert [one.shape[0] for one in masked.maps] == [8] * 4
    assert masked.present[:, 0].tolist() == [True, False, True, True, True, True, True, False]


def test_a_batch_without_any_image(write):
    records = kind(missing="allow").read(write(noise(12, 12), None, None))
    fitted = kind(missing="allow").fit(records, rows(0, 1, 2))
    tensors = fitted.prepare(records).collate(np.array([1, 2]))
    for network in (fitted.encoder(32, Size.TINY, 0.0).train(), fitted.encoder(32, Size.TINY, 0.0).eval()):
        encoded = network(tensors)
        assert encoded.tokens.shape == (2, 1, 32)
        assert not encoded.present.any()


# ---------------------------------------------------------------- public weights


@pytest.fixture
def weights(tmp_path):
    """Small images keep the shape of public weights: a file of random ones."""
    torch.manual_seed(0)
    network = backbones.build(backbones.public("resnet18", 3, (12, 12), {}))
    state = {**network.state_dict(), "fc.weight": torch.zeros(5, 512), "fc.bias": torch.zeros(5)}
    save_file(state, tmp_path / "public.safetensors")
    return state


def test_public_weights_are_loaded_whatever_the_size_dial_says(write, weights):
    fitted, _ = small(write, weights="public.safetensors")
    state = fitted.encoder(32, Size.TINY, 0.0).network.state_dict()
    assert torch.equal(state["layer4.1.conv2.weight"], weights["layer4.1.conv2.weight"])
    torch.testing.assert_close(state["conv1.weight"], weights["conv1.weight"].sum(1, keepdim=True))


def test_a_bundle_needs_no_file_of_weights(write, weights, tmp_path):
    fitted, ready = small(write, weights="public.safetensors")
    tensors = ready.collate(np.arange(8))
    trained = fitted.encoder(32, Size.TINY, 0.0)
    (tmp_path / "public.safetensors").unlink()
    plan = Image.Plan.model_validate_json(fitted.plan.model_dump_json())
    revived = Image("film", fitted.options, plan).encoder(32, Size.TINY, 0.0)
    revived.load_state_dict(trained.state_dict())
    assert torch.equal(revived.eval()(tensors).tokens, trained.eval()(tensors).tokens)


def test_weights_that_do_not_fit_stop_the_fit(write, weights, tmp_path):
    for file, encoder in [("absent.pth", "resnet18"), ("public.safetensors", "densenet121")]:
        with pytest.raises(ReadError, match=r"\[inputs.film\] weights") as caught:
            small(write, weights=file, encoder=encoder)
        assert caught.value.findings[0].name == "weights_differ"


# ---------------------------------------------------------------- baseline, leaks, pictures, example


def test_summary_has_no_numbers_for_an_absent_image(write):
    features = kind(missing="allow").read(write(noise(9, 9), None)).summarise()
    assert np.isfinite(features.matrix[0]).all()
    assert np.isnan(features.matrix[1]).all()


def test_fingerprints(write):
    image = noise(20, 20)
    contents = [image, image.astype(np.uint16) * 257, np.stack([image] * 3, axis=2), noise(20, 20, seed=1), None]
    prints = kind(missing="allow").read(write(*contents)).fingerprints()
    assert prints[0] == prints[1] == prints[2] != 0
    assert prints[3] not in (0, prints[0])
    assert prints[4] == 0


def test_properties_of_files(write):
    found = kind(missing="allow").read(write(noise(9, 7), None, noise(5, 5, 3))).properties()
    assert found["width"].tolist() == [7, 0, 5]
    assert found["height"].tolist() == [9, 0, 5]
    assert found["mode"].tolist() == ["L", "", "RGB"]
    assert found["bytes"][0] > 0


def test_pictures(write):
    records = kind(missing="allow").read(write(noise(9, 9), None))
    plain, heated = (records.show(0, heat) for heat in (None, noise(4, 4).astype(float)))
    assert plain.media_type == heated.media_type == "image/png"
    assert plain.content != heated.content
    assert records.show(1).media_type == "text/html"


def test_the_example_carries_its_signal_in_the_upper_left(tmp_path):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(60)
    frame, keys = Image.example(rng, signal, tmp_path, "film")
    images = Image("film", Image.Options(**keys)).read(ColumnCells(frame, tmp_path, "cohort.csv"))
    assert len({f.pixels.shape for f in images.frames()}) > 5
    told, idle = [], []
    for one in images.frames():
        height, width = one.pixels.shape[:2]
        told.append(one.pixels[int(0.25 * height) : int(0.36 * height), int(0.25 * width) : int(0.36 * width)].mean())
        idle.append(one.pixels[int(0.65 * height) : int(0.76 * height), int(0.65 * width) : int(0.76 * width)].mean())
    assert np.corrcoef(signal, told)[0, 1] > 0.95
    assert abs(np.corrcoef(signal, idle)[0, 1]) < 0.3


def test_the_note_for_the_card(write):
    fitted, _ = small(write, flips="horizontal")
    note = " ".join(fitted.parameters_note())
    assert "12 x 12" in note
    assert "flips: horizontal" in note


def dense(tmp_path, sizes=((40, 52), (70, 33), (20, 20)), **keys):
    """A fitted image input on which a dense question is asked, and what it made ready."""
    rng = np.random.default_rng(0)
    paths = []
    for number, size in enumerate(sizes):
        Pillow.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(tmp_path / f"d{number}.png")
        paths.append(f"d{number}.png")
    kind = Image("film", Image.Options.model_validate_json(json.dumps({"column": "film", **keys}))).facing()
    records = kind.read(ColumnCells(pl.DataFrame({"film": paths}), tmp_path, "cohort.csv"))
    fitted = kind.fit(records, TrainRows(np.arange(len(sizes))))
    return fitted, records, fitted.prepare(records)


def test_a_dense_question_keeps_native_pixels(tmp_path):
    fitted, records, ready = dense(tmp_path)
    assert [place.shape for place in ready.places()] == [(40, 52), (70, 33), (20, 20)]
    assert [one.shape for one in records.geometry()] == [(40, 52), (70, 33), (20, 20)]
    pixels = records.decoded.frame(1).pixels[:, :, 0] / 255
    values = ready.values(1)
    assert values.shape == (1, 70, 33)
    np.testing.assert_allclose(values[0] * fitted.plan.spread[0] + fitted.plan.mean[0], pixels, atol=1e-4)


def test_a_dense_question_at_a_scale(tmp_path):
    _, _, ready = dense(tmp_path, scale=0.5)
    assert [place.shape for place in ready.places()] == [(20, 26), (35, 16), (10, 10)]


def test_views_are_of_one_size_that_the_network_divides(tmp_path):
    fitted, _, ready = dense(tmp_path, patch=[40, 30])
    assert fitted.plan.patch == (48, 32)
    tensors, movement = ready.draw(
        np.array([0, 2, 1]), np.full((3, 2), np.nan), torch.Generator().manual_seed(0), change=True
    )
    assert tensors.values.shape == (3, 1, 48, 32)
    assert movement.size == (48, 32)
    encoded = fitted.encoder(16, Size.TINY, 0.0)(tensors)
    sight = fitted.sight(Size.TINY)
    assert encoded.maps[0].shape == (3, sight.channels[0], 48, 32)
    assert [one.shape[1] for one in encoded.maps] == list(sight.channels)


def test_whole_images_beside_a_dense_question(tmp_path):
    fitted, _, ready = dense(tmp_path)
    tensors = ready.collate(np.arange(3))
    assert len({tensors.values.shape[2] % 16, tensors.values.shape[3] % 16, 0}) == 1
    assert fitted.encoder(16, Size.TINY, 0.0)(tensors).tokens.shape == (3, 1, 16)


def test_an_encoder_that_a_dense_question_would_pass_over_is_told(tmp_path):
    kind = Image("film", Image.Options(column="film", encoder="resnet34"))
    Pillow.fromarray(noise(20, 20)).save(tmp_path / "a.png")
    cells = ColumnCells(pl.DataFrame({"film": ["a.png"]}), tmp_path, "cohort.csv")
    assert "idle_option" in [finding.name for finding in kind.facing().read(cells).check()]
    assert "idle_option" not in [finding.name for finding in kind.read(cells).check()]


@pytest.mark.parametrize(
    ("keys", "mirrors"),
    [
        ({}, ()),
        ({"flips": "horizontal"}, ((1,),)),
        ({"flips": "both"}, ((0,), (1,), (0, 1))),
        ({"flips": "both", "mirror_answers": False}, ()),
    ],
)
def test_answers_are_mirrored_as_training_was(tmp_path, keys, mirrors):
    fitted, _, ready = dense(tmp_path, **keys)
    assert ready.mirrors() == mirrors
    assert any("mirrored windows" in line for line in fitted.parameters_note()) == bool(mirrors)
    tensors, _ = next(ready.windows(0))
    for axes in mirrors:
        turned = ready.mirrored(tensors, axes)
        assert torch.equal(turned.values[0, 0], tensors.values[0, 0].flip(axes))
        assert torch.equal(turned.present, tensors.present)
