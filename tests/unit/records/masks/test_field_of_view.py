"""Fields of view held against the lit part of their pictures."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.geometry import GridGeometry
from polyclinic.records.masks import field_of_view as fields

GRID = GridGeometry((6, 8))
FIELD = np.zeros((6, 8), dtype=bool)
FIELD[1:5, 2:7] = True


@pytest.fixture
def two(tmp_path):
    """Three rows: with a mask, without one, and without a picture."""
    Image.fromarray(FIELD.astype(np.uint8)).save(tmp_path / "field.png")
    cells = (("field.png",), (None,), (None,))
    return fields.read(cells, [GRID, GRID, None], tmp_path, None, "here")


def test_a_mask_tells_where_to_look_and_none_means_everywhere(two):
    np.testing.assert_array_equal(two.row(0), FIELD)
    assert two.row(1) is None
    assert two.take(np.array([1, 0])).row(0) is None


def test_the_overlap_counts_points_that_either_has(two):
    half = FIELD & (np.arange(8) < 4)
    compared = two.with_foreground(lambda row: half, None)
    assert compared.overlap[0] == pytest.approx(half.sum() / FIELD.sum())
    assert np.isnan(compared.overlap[1:]).all()
    assert compared.least_overlap([0]) == compared.overlap[0]
    assert compared.least_overlap([0, 1]) == 0.0
    assert compared.least_overlap([]) == 0.0


@pytest.mark.parametrize(("overlap", "name"), [(0.99, "field_by_rule"), (0.94, "field_lacking")])
def test_the_lit_part_stands_in_only_where_it_agreed(two, overlap, name):
    filled = two.with_foreground(lambda row: FIELD if row == 1 else None, overlap)
    assert (filled.row(1) is not None) == (name == "field_by_rule")
    [told] = filled.missing_masks([GRID, GRID, None])
    assert (told.name, told.place, told.rows) == (name, "here", (2,))


def test_where_every_picture_has_its_mask_nothing_is_told(two):
    assert two.take(np.array([0])).missing_masks([GRID]) == []
