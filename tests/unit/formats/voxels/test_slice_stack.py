"""Volumes without a place: TIFF pages, folders of slices, arrays of archives."""

import io

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

VALUES = np.random.default_rng(6).integers(0, 250, (5, 12, 10)).astype(np.uint8)
WIDE = VALUES.astype(np.uint16) * 200


def tiff(path, slices=VALUES, **keys):
    pages = [Image.fromarray(one) for one in slices]
    pages[0].save(path, save_all=True, append_images=pages[1:], **keys)
    return path


def folder(path, slices=VALUES, name="slice_{}.png", start=1):
    path.mkdir()
    for number, one in enumerate(slices, start=start):
        Image.fromarray(one).save(path / name.format(number))
    return path


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


@pytest.mark.parametrize("slices", [VALUES, WIDE])
def test_pages_are_slices(slices, tmp_path):
    found = read_scan(tiff(tmp_path / "a.tif", slices))
    assert np.array_equal(found.values, slices.transpose(2, 1, 0))
    assert (found.affine, found.spacing) == (None, None)
    assert found.values.dtype == (np.uint8 if slices is VALUES else np.float32)


def test_a_name_says_nothing(tmp_path):
    tiff(tmp_path / "a.tif").rename(tmp_path / "a.nii")
    assert read_scan(tmp_path / "a.nii").facts.format == "TIFF"


def test_one_page_is_no_volume(tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", VALUES[:1])) == "one_slice"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ImageJ=1.53\nimages=5\nchannels=5", "four_axes"),
        ("ImageJ=1.53\nimages=5\nframes=5", "four_axes"),
        ('<OME><Pixels SizeC="1" SizeT="5"/></OME>', "four_axes"),
        ("ImageJ=1.53\nimages=9\nslices=9", "doubtful_voxels"),
    ],
)
def test_pages_that_are_channels_or_times(text, name, tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", tiffinfo={270: text})) == name


def test_an_imagej_stack_of_slices(tmp_path):
    path = tiff(tmp_path / "a.tif", tiffinfo={270: "ImageJ=1.53\nimages=5\nslices=5"})
    assert read_scan(path).values.shape == (10, 12, 5)


def test_pages_of_two_sizes_and_colours(tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", [VALUES[0], VALUES[1][:5]])) == "mixed_images"
    colour = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3)).astype(np.uint8)
    assert refusal(tiff(tmp_path / "b.tif", colour)) == "colour_volume"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_cut_off(share, tmp_path):
    path = tiff(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ReadError):
        read_scan(path)


def test_slices_in_the_order_of_their_numbers(tmp_path):
    slices = np.tile(np.arange(12, dtype=np.uint8)[:, None, None], (1, 4, 3))
    found = read_scan(folder(tmp_path / "a", slices))  # slice_10 comes after slice_9
    assert found.values[0, 0].tolist() == list(range(12))
    assert found.affine is None
    assert read_scan(folder(tmp_path / "b", slices, "p7_{:03d}.tif", 0)).values[0, 0].tolist() == list(range(12))


@pytest.mark.parametrize(
    ("extra", "name"),
    [("slice_7.png", "missing_slices"), ("slice_05.png", "missing_slices"), ("other.png", "mixed_series")],
)
def test_names_that_do_not_tell_the_order(extra, name, tmp_path):
    path = folder(tmp_path / "a")
    (path / extra).write_bytes((path / "slice_1.png").read_bytes())
    assert refusal(path) == name


def test_two_numbers_that_change(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    for number in range(4):
        Image.fromarray(VALUES[number]).save(path / f"t{number % 2}_z{number // 2}.png")
    assert refusal(path) == "no_order"


def test_a_damaged_slice_and_a_folder_in_the_folder(tmp_path):
    path = folder(tmp_path / "a")
    (path / "slice_3.png").write_bytes(b"\x89PNG")
    assert refusal(path) in ("damaged_image", "unknown_image")
    (path / "more").mkdir()
    assert refusal(path) == "foreign_files"


def archive(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_arrays_of_an_archive(tmp_path):
    path = archive(tmp_path / "a.npz", x=np.stack([VALUES, VALUES // 2]), flags=np.stack([VALUES > 9] * 2))
    kept = {}
    assert np.array_equal(read_scan("a.npz#x[1]", tmp_path, kept).values, VALUES // 2)
    path.unlink()
    assert np.array_equal(read_scan("a.npz#x[0]", tmp_path, kept).values, VALUES)  # it is open already
    assert len(kept) == 1


def test_arrays_that_are_no_volumes(tmp_path):
    path = archive(
        tmp_path / "a.npz",
        flat=VALUES,
        colour=np.zeros((2, 8, 8, 3), np.uint8),
        text=np.array([[[["a"]]]]),
        odd=np.full((1, 2, 2, 2), np.nan),
    )
    assert refusal(f"{path}#flat[0]") == "not_volumes"
    assert refusal(f"{path}#colour[0]") == "not_volumes"
    assert refusal(f"{path}#text[0]") == "not_volumes"
    assert refusal(f"{path}#odd[0]") == "not_finite"
    assert refusal(f"{path}#none[0]") == "no_such_array"
    assert refusal(f"{path}#odd[5]") == "no_such_image"
    assert refusal(f"{tmp_path}/b.npz#x[0]") == "no_such_file"


def test_an_archive_of_rubbish(tmp_path):
    (tmp_path / "a.npz").write_bytes(io.BytesIO(b"PK\3\4" + bytes(300)).getvalue())
    assert refusal(f"{tmp_path}/a.npz#x[0]") == "damaged_archive"
