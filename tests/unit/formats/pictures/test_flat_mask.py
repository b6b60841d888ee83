"""Flat masks: labels as stored, never colours."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.read_mask import read_mask

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
