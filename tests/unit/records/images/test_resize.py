"""Images at another size and in other colours."""

import numpy as np
import pytest

from polyclinic.formats.pictures.frame import FileProperties, Frame
from polyclinic.records.images.resize import fractions, is_plain, recolour, resized, resized_bytes

FACTS = FileProperties("PNG", "L", 8, 1, 1, 1)


def frame(pixels, low=0.0, high=255.0):
    pixels = np.asarray(pixels)
    return Frame(pixels[:, :, None] if pixels.ndim == 2 else pixels, low, high, FACTS)


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_the_right_size_stays_as_it_is():
    pixels = noise(28, 28)
    assert np.array_equal(resized_bytes(frame(pixels), (28, 28), 1)[:, :, 0], pixels)
    assert np.allclose(resized(frame(pixels), (28, 28), 1)[:, :, 0] * 255, pixels, atol=1e-4)


def test_shape_is_kept_and_the_rest_is_black():
    tall = np.full((40, 10), 200, dtype=np.uint8)
    for image in (resized_bytes(frame(tall), (20, 20), 1), resized(frame(tall), (20, 20), 1) * 255):
        assert image.shape == (20, 20, 1)
        assert np.allclose(image[:, 8:12], 200, atol=1)
        assert (image[:, :7] == 0).all()
        assert (image[:, 13:] == 0).all()


def test_shrinking_averages():
    """A fine chequerboard becomes even grey: no pixel is simply left out."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = resized_bytes(frame(board), (8, 8), 1)
    assert np.abs(small[1:-1, 1:-1].astype(int) - 127).max() < 12


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (300, 7), (5, 5)])
@pytest.mark.parametrize("extent", [(28, 28), (16, 40)])
def test_any_size_to_any_size(shape, extent):
    assert resized_bytes(frame(noise(*shape)), extent, 3).shape == (*extent, 3)
    assert resized(frame(noise(*shape)), extent, 1).shape == (*extent, 1)


def test_a_pixel_of_difference_makes_no_border():
    assert (resized_bytes(frame(np.full((565, 566), 9, np.uint8)), (64, 64), 1) == 9).all()


def test_colours():
    colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    assert recolour(colour, 1)[0, :, 0].tolist() == [76, 150, 29, 255]  # BT.601
    grey = noise(2, 3)[:, :, None]
    assert np.array_equal(recolour(grey, 3)[:, :, 1], grey[:, :, 0])
    assert recolour(colour / np.float32(255), 1).dtype == np.float32


def test_depths_meet_at_fractions():
    eight = frame(np.array([[0, 255]], np.uint8))
    sixteen = frame(np.array([[0, 65535]], np.uint16), high=65535.0)
    inverted = frame(np.array([[10.0, -10.0]], np.float32), low=10.0, high=-10.0)
    for one in (eight, sixteen, inverted):
        assert fractions(one).ravel().tolist() == [0, 1]
    assert is_plain(eight)
    assert not is_plain(sixteen)
    assert not is_plain(frame(np.array([[0, 1]], np.uint8), high=1.0))
