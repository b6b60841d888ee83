"""Pictures of several sizes at the resolution at which they are asked, and cuts of them."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.geometry import points_in_working, to_file
from polyclinic.records.images.decoded import decode
from polyclinic.records.images.resampled import choose_patch, resample_pictures


@pytest.fixture
def decoded(tmp_path):
    rng = np.random.default_rng(1)
    for number, shape in enumerate([(20, 30), (41, 27, 3)]):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / f"{number}.png")
    return decode(["0.png", "1.png", None], tmp_path)


def laid(decoded, scale=1.0, channels=1, cache=None):
    return resample_pictures(decoded, scale, channels, ((0.5,) * channels, (0.25,) * channels), cache)


def test_pictures_keep_their_pixels(decoded):
    sheets = laid(decoded, channels=3)
    pixels = decoded.frame(1).pixels
    assert sheets.shape(1) == (41, 27)
    np.testing.assert_allclose(sheets.cut(1, (3, 5), (10, 12)), (pixels[3:13, 5:17] / 255 - 0.5) / 0.25, atol=1e-5)


def test_beyond_the_picture_its_border_is_repeated(decoded):
    sheets = laid(decoded)
    box, whole = sheets.cut(0, (-4, 25), (30, 16)), sheets.cut(0, (0, 0), (20, 30))
    assert box.shape == (30, 16, 1)
    np.testing.assert_array_equal(box[:4], np.repeat(box[4:5], 4, axis=0))
    np.testing.assert_array_equal(box[4:24, :5], whole[:, 25:])
    np.testing.assert_array_equal(box[4:24, 5:], np.repeat(whole[:, 29:], 11, axis=1))


def test_an_absent_picture_is_nothing(decoded):
    sheets = laid(decoded)
    assert sheets.shape(2) is None
    assert sheets.place(2) is None
    assert not sheets.cut(2, (0, 0), (4, 4)).any()


@pytest.mark.parametrize("keep", [True, False])
def test_scaled_pictures_lead_back_to_their_file(decoded, tmp_path, keep):
    sheets = laid(decoded, 0.5, cache=tmp_path / "cache" if keep else None)
    place = sheets.place(1)
    assert place.shape == (20, 14)
    assert place.source.shape == (41, 27)
    middle = np.array([[20.0, 13.0]])
    np.testing.assert_allclose(points_in_working(middle, place), [[9.5, 6.5]])
    assert to_file(np.ones(place.shape, dtype=np.float32), place).shape == (41, 27)
    assert np.isfinite(sheets.cut(1, (0, 0), place.shape)).all()


def test_a_view_is_no_larger_than_the_usual_picture(decoded):
    assert choose_patch(decoded, [0], 1.0) == (20, 30)
    assert choose_patch(decoded, [0, 1], 8.0) == (128, 128)
    assert choose_patch(decoded, [2], 1.0) == (128, 128)


def test_spacing_is_that_of_the_file(tmp_path):
    pixels = Image.fromarray(np.zeros((20, 30), dtype=np.uint8))
    pixels.save(tmp_path / "told.tif", description="ImageJ=1.53t\nunit=micron\n", x_resolution=4.0, y_resolution=2.0)
    pixels.save(tmp_path / "print.tif", dpi=(72, 72))
    sheets = laid(decode(["told.tif", "print.tif"], tmp_path), 0.5)
    assert sheets.source[0].spacing == (0.5, 0.25)
    assert sheets.source[0].unit == "um"
    assert sheets.place(0).spacing == (1.0, 0.5)
    assert sheets.source[1].spacing is None
    assert sheets.source[1].unit == "px"
