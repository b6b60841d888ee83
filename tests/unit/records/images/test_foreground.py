"""The lit part of a picture, such as the round field of a photograph of the retina."""

import numpy as np
import pytest

from polyclinic.formats.pictures.frame import FileProperties, Frame
from polyclinic.records.images.foreground import foreground_of

DOWN, ACROSS = np.indices((120, 160))
DISC = (DOWN - 60) ** 2 + (ACROSS - 80) ** 2 < 50**2


def frame(values):
    pixels = np.clip(values, 0, 255).astype(np.uint8)[:, :, None]
    return Frame(pixels, 0.0, 255.0, FileProperties("PNG", "L", 8, 1, pixels.shape[1], pixels.shape[0]))


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("noise", [0, 3, 8])
def test_a_disc_on_dark_ground_is_found(noise):
    rng = np.random.default_rng(0)
    seen = np.where(DISC, 120 + 60 * ACROSS / 160, 6) + noise * rng.standard_normal(DISC.shape)
    assert overlap(foreground_of(frame(seen)), DISC) > 0.97


def test_what_is_dark_within_stays_lit_and_a_bright_speck_outside_is_left_out():
    seen = np.where(DISC, 150, 4)
    seen[55:65, 70:90] = 2
    seen[3:6, 3:6] = 255
    np.testing.assert_array_equal(foreground_of(frame(seen)), DISC)


def test_a_field_that_is_cut_by_the_rim_is_found():
    seen = np.where(DISC, 150, 4)[:, 45:115]
    np.testing.assert_array_equal(foreground_of(frame(seen)), DISC[:, 45:115])


@pytest.mark.parametrize("level", [0, 90])
def test_where_no_ground_stands_out_everything_is_lit(level):
    assert foreground_of(frame(np.full((30, 40), level))).all()


def test_colour_counts_by_its_brightest_channel():
    red = np.zeros((120, 160, 3), dtype=np.uint8)
    red[DISC, 0] = 130
    np.testing.assert_array_equal(
        foreground_of(Frame(red, 0.0, 255.0, FileProperties("PNG", "RGB", 8, 1, 160, 120))), DISC
    )
