"""Slices into one array: number types widen when they must, padding is set at the end."""

import numpy as np
import pytest

from polyclinic.errors import ReadError
from polyclinic.formats.dicom.buffer import Rescale, buffer_for

INSIDE = np.zeros((2, 3), dtype=bool)
CORNER = INSIDE.copy()
CORNER[0, 0] = True


def filled(slices, scale=None, padding=INSIDE, hounsfield=False):
    buffer = buffer_for(len(slices), 2, 3, [scale or Rescale(1.0, -1024.0, 12, False)])
    for place, measured in enumerate(slices):
        buffer.put(place, np.full((2, 3), measured, dtype=float), padding)
    return buffer.close(hounsfield=hounsfield)


def test_axes_are_column_row_slice():
    buffer = buffer_for(4, 2, 3, [Rescale(1.0, 0.0, 12, False)])
    buffer.put(3, np.array([[0, 1, 2], [3, 4, 5.0]]), INSIDE)
    values, _, _ = buffer.close(hounsfield=False)
    assert values.shape == (3, 2, 4)
    assert values[2, 1, 3] == 5


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (Rescale(1.0, 0.0, 8, False), np.uint8),
        (Rescale(1.0, 0.0, 8, True), np.int16),
        (Rescale(2.0, 0.0, 8, False), np.int16),
        (Rescale(1.0, -1024.0, 12, False), np.int16),
        (Rescale(0.5, 0.0, 12, False), np.float32),
    ],
)
def test_number_types(scale, dtype):
    assert filled([1, 2], scale)[0].dtype == dtype


def test_a_value_that_does_not_fit_widens_all():
    values, low, high = filled([-3000, 40000, 7])
    assert values.dtype == np.float32
    assert (values[0, 0].tolist(), low, high) == ([-3000, 40000, 7], -3000, 40000)


def test_padding_gets_the_least_value_of_the_rest():
    values, low, high = filled([500, -3, 700], padding=CORNER)
    assert values[0, 0].tolist() == [-3, -3, -3]
    assert values[1, 0].tolist() == [500, -3, 700]
    assert (low, high) == (-3, 700)
    assert filled([500, -3, 700], padding=CORNER, hounsfield=True)[0][0, 0].tolist() == [-1024] * 3


def test_all_padding():
    values, low, high = filled([500, 600], padding=~INSIDE)
    assert (low, high) == (0, 1)
    assert (values == 0).all()


def test_refused():
    with pytest.raises(ReadError, match="must be a number"):
        filled([np.nan])
    with pytest.raises(ReadError, match="at most 2 GiB"):
        buffer_for(60000, 60000, 60000, [Rescale(1.0, 0.0, 8, False)])
