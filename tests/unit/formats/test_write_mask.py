"""Masks: labels as stored, never colours; written in the geometry of their source."""

import numpy as np
import pytest
from PIL import Image

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.write_mask import write_mask

nib = pytest.importorskip("nibabel")
LABELS = np.random.default_rng(7).integers(0, 4, (9, 13)).astype(np.uint8)
SOLID = np.random.default_rng(8).integers(0, 4, (6, 7, 5)).astype(np.uint8)


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_mask(cell)
    return caught.value.findings[0].name


def save(path, image, **keys):
    image.save(path, **keys)
    return path


def indexed(colours, labels=LABELS):
    image = Image.fromarray(labels).convert("P")
    image.frombytes(labels.tobytes())
    image.putpalette([part for colour in colours for part in colour] + [0] * (768 - 3 * len(colours)))
    return image


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.gif", "a.bmp"])
def test_grey_labels(name, tmp_path):
    found = read_mask(save(tmp_path / name, Image.fromarray(LABELS)))
    assert np.array_equal(found.labels, LABELS)
    assert (found.values, found.names, found.affine) == ((0, 1, 2, 3), (), None)


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.png"])
def test_black_and_white_as_in_drive(name, tmp_path):
    field = np.where(LABELS > 1, 255, 0).astype(np.uint8)
    assert read_mask(save(tmp_path / name, Image.fromarray(field))).values == (0, 255)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_palette_gives_indices_never_colours(name, tmp_path):
    found = read_mask(save(tmp_path / name, indexed([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 9)])))
    assert np.array_equal(found.labels, LABELS)


def test_a_grey_palette_against_its_index(tmp_path):
    path = save(tmp_path / "a.png", indexed([(255,) * 3, (9,) * 3, (8,) * 3, (0,) * 3]))
    assert refusal(path) == "inverted_palette"
    assert read_mask(save(tmp_path / "b.png", indexed([(0,) * 3, (9,) * 3, (99,) * 3, (255,) * 3]))).values == (
        0,
        1,
        2,
        3,
    )


def test_one_bit_and_sixteen_bits(tmp_path):
    found = read_mask(save(tmp_path / "a.png", Image.fromarray(LABELS > 1)))
    assert np.array_equal(found.labels, LABELS > 1)
    assert found.values == (0, 1)
    wide = LABELS.astype(np.uint16) * 1000
    for name in ("b.png", "b.tif"):
        assert np.array_equal(read_mask(save(tmp_path / name, Image.fromarray(wide))).labels, wide)


def test_grey_in_colours_clothes(tmp_path):
    pixels = np.repeat(LABELS[:, :, None], 3, axis=2)
    assert np.array_equal(read_mask(save(tmp_path / "a.png", Image.fromarray(pixels))).labels, LABELS)
    opaque = np.dstack([pixels, np.full_like(LABELS, 255)])
    assert np.array_equal(read_mask(save(tmp_path / "b.png", Image.fromarray(opaque))).labels, LABELS)
    opaque[0, 0, 3] = 0
    assert refusal(save(tmp_path / "c.png", Image.fromarray(opaque))) == "transparent_mask"
    pixels[0, 0] = [1, 2, 3]
    assert refusal(save(tmp_path / "d.png", Image.fromarray(pixels))) == "colour_mask"


def test_fractions_are_no_labels(tmp_path):
    assert np.array_equal(
        read_mask(save(tmp_path / "a.tif", Image.fromarray(LABELS.astype(np.float32)))).labels, LABELS
    )
    assert refusal(save(tmp_path / "b.tif", Image.fromarray(LABELS / np.float32(2)))) == "not_labels"


def test_loss(tmp_path):
    assert refusal(save(tmp_path / "a.jpg", Image.fromarray(LABELS))) == "lossy_mask"
    assert refusal(save(tmp_path / "a.tif", Image.fromarray(LABELS), compression="jpeg")) == "lossy_mask"


def test_an_image_that_is_turned_by_its_camera(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    path = save(tmp_path / "a.png", Image.fromarray(LABELS), exif=exif)
    assert np.array_equal(read_mask(path).labels, np.rot90(LABELS, -1))


def test_moving_pictures(tmp_path):
    first, second = Image.fromarray(LABELS), Image.fromarray(3 - LABELS)
    assert refusal(save(tmp_path / "a.gif", first, save_all=True, append_images=[second])) == "several_pages"


def test_solid_masks(tmp_path):
    affine = np.diag([1.0, 2, 3, 1])
    nib.save(nib.Nifti1Image(SOLID, affine), tmp_path / "a.nii.gz")
    nib.save(nib.Nifti1Image(SOLID.astype(np.float64), affine), tmp_path / "b.nii")
    image = made.SimpleITK.GetImageFromArray(SOLID.transpose(2, 1, 0))
    for name in ("a.mha", "a.nrrd"):
        made.SimpleITK.WriteImage(image, str(tmp_path / name))
    for name in ("a.nii.gz", "b.nii", "a.mha", "a.nrrd"):
        found = read_mask(tmp_path / name)
        assert np.array_equal(found.labels, SOLID)
        assert found.values == (0, 1, 2, 3)
        assert found.labels.dtype == np.uint8
    assert np.array_equal(read_mask(tmp_path / "a.nii.gz").affine, affine)
    nib.save(nib.Nifti1Image(SOLID / 3, affine), tmp_path / "c.nii")
    assert refusal(tmp_path / "c.nii") == "not_labels"


def test_archives(tmp_path):
    np.savez(tmp_path / "a.npz", flat=np.stack([LABELS] * 2), solid=SOLID[None], flags=SOLID[None] > 1)
    assert np.array_equal(read_mask("a.npz#flat[1]", tmp_path).labels, LABELS)
    assert np.array_equal(read_mask("a.npz#solid[0]", tmp_path).labels, SOLID)
    assert read_mask("a.npz#flags[0]", tmp_path).values == (0, 1)
    assert refusal(f"{tmp_path}/a.npz#flat[2]") == "no_such_image"


def test_pages_of_a_tiff(tmp_path):
    pages = [Image.fromarray(SOLID[:, :, k].T) for k in range(5)]
    path = save(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:])
    assert np.array_equal(read_mask(path).labels, SOLID)


def test_nothing_there(tmp_path):
    assert refusal(tmp_path / "none.png") == "no_such_file"
    (tmp_path / "empty.png").write_bytes(b"")
    assert refusal(tmp_path / "empty.png") == "empty_file"
    assert refusal(tmp_path) == "not_a_mask"


def test_flat_masks_are_written_as_png(tmp_path):
    source = save(tmp_path / "s.jpg", Image.fromarray(np.zeros((9, 13, 3), np.uint8)))
    path = write_mask(LABELS, source, tmp_path / "m.dcm")
    assert path == tmp_path / "m.png"
    assert np.array_equal(read_mask(path).labels, LABELS)
    layers = np.stack([LABELS == 1, LABELS == 2]).astype(np.uint8)
    drawn = read_mask(write_mask(layers, None, tmp_path / "n", ["a", "b"])).labels
    assert np.array_equal(drawn, np.where(LABELS > 2, 0, LABELS))


def test_solid_masks_are_written_as_nifti(tmp_path):
    affine = np.array([[0, -2.0, 0, 9], [1.5, 0, 0, -8], [0, 0, 3.0, 7], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(SOLID.astype(np.int16), affine), tmp_path / "s.nii")
    image = made.SimpleITK.GetImageFromArray(SOLID.transpose(2, 1, 0))
    image.SetOrigin((1, 2, 3))
    made.SimpleITK.WriteImage(image, str(tmp_path / "s.mha"))
    for name in ("s.nii", "s.mha"):
        source = read_scan(tmp_path / name)
        for like in (tmp_path / name, source):
            found = read_mask(write_mask(SOLID, like, tmp_path / "m.out"))
            assert np.array_equal(found.labels, SOLID)
            assert np.allclose(found.affine, source.affine)


def test_a_mask_of_a_multi_frame_file_has_its_geometry(tmp_path):
    path, _ = made.CASES["enhanced with rescale in groups"](tmp_path / "s")
    scan = read_scan(path)
    drawn = (scan.values > 0).astype(np.uint8)
    found = read_mask(write_mask(drawn, path, tmp_path / "m"))
    assert np.array_equal(found.labels, drawn)
    assert np.allclose(found.affine, scan.affine, atol=1e-4)


def test_masks_that_cannot_be_written(tmp_path):
    nib.save(nib.Nifti1Image(SOLID.astype(np.int16), np.eye(4)), tmp_path / "s.nii")
    both = np.ones((2, *SOLID.shape), np.uint8)
    with pytest.raises(ReadError, match="regions overlap"):
        write_mask(both, tmp_path / "s.nii", tmp_path / "m", ["a", "b"])
    with pytest.raises(ReadError, match="must have the shape"):
        write_mask(SOLID[1:], tmp_path / "s.nii", tmp_path / "m")
    both[1] = 0
    assert read_mask(write_mask(both, tmp_path / "s.nii", tmp_path / "m", ["a", "b"])).values == (1,)
