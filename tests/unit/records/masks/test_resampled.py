"""Masks on the network's grid."""

import numpy as np
import pytest

from polyclinic.geometry import GridGeometry, Lattice, identity
from polyclinic.records.cache import gather
from polyclinic.records.masks.masks import ColumnMasks, Region
from polyclinic.records.masks.resampled import resample_masks

SHAPE = (12, 16)
REGIONS = [Region("rim", 0, (1,)), Region("core", 0, (2,))]


def drawn(*labels):
    entry = np.array(
        [-1 if label is None else sum(one is not None for one in labels[:k]) for k, label in enumerate(labels)]
    )
    there = [label for label in labels if label is not None]
    return ColumnMasks(gather((label[None], "") for label in there), entry, (((0, 1, 2),),) * len(there), (), "key")


def label():
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[2:8, 3:11] = 1
    mask[4:6, 5:9] = 2
    return mask


def half():
    return Lattice((6, 8), GridGeometry(SHAPE), np.array([[2, 0, 0.5], [0, 2, 0.5]], dtype=float))


def test_regions_and_where_to_look():
    field = drawn((np.arange(16)[None] < 8).repeat(12, axis=0).astype(np.uint8))
    placed = resample_masks(drawn(label()), field, REGIONS, [identity(GridGeometry(SHAPE))], None, exclusive=True)
    rim, core, counts = placed.whole(0)
    np.testing.assert_array_equal(rim, label() == 1)
    np.testing.assert_array_equal(core, label() == 2)
    assert counts.sum() == 12 * 8
    assert all(points[:, 1].max() < 8 for points in placed.points[0])


@pytest.mark.parametrize("exclusive", [True, False])
def test_masks_are_brought_to_another_grid(exclusive):
    placed = resample_masks(drawn(label()), None, REGIONS, [half()], None, exclusive=exclusive)
    rim, core, counts = placed.whole(0)
    assert rim.shape == (6, 8)
    assert set(np.unique(rim).tolist()) == {0, 1}
    assert core[2, 3] == 1
    assert counts.all()


def test_a_point_that_several_regions_claim_goes_to_the_first():
    both = [Region("whole", 0, (1, 2)), Region("core", 0, (2,))]
    place = [identity(GridGeometry(SHAPE))]
    first = resample_masks(drawn(label()), None, both, place, None, exclusive=True).whole(0)
    assert not first[1].any()
    shared = resample_masks(drawn(label()), None, both, place, None, exclusive=False).whole(0)
    assert shared[1].sum() == 8
    assert shared[0].sum() == 48


def test_unknown_rows_and_absent_records_are_nothing():
    place = identity(GridGeometry(SHAPE))
    placed = resample_masks(drawn(label(), None, label()), None, REGIONS, [place, place, None], None, exclusive=True)
    assert [placed.known(row) for row in range(3)] == [True, False, False]
    assert not placed.cut(1, (0, 0), (4, 4)).any()
    assert placed.points[1] == ()


def test_beyond_the_grid_nothing_counts():
    placed = resample_masks(drawn(label()), None, REGIONS, [identity(GridGeometry(SHAPE))], None, exclusive=True)
    box = placed.cut(0, (-3, 10), (9, 12))
    assert box.shape == (3, 9, 12)
    assert box[-1].sum() == 6 * 6
    assert not placed.cut(0, (50, 50), (4, 4)).any()


def test_maps_are_kept_in_the_cache(tmp_path):
    def laid():
        return resample_masks(drawn(label()), None, REGIONS, [half()], tmp_path, exclusive=True)

    np.testing.assert_array_equal(laid().whole(0), laid().whole(0))
    assert len(list(tmp_path.iterdir())) == 1


def test_points_to_aim_at_are_few_and_of_their_region():
    large = np.ones((60, 60), dtype=np.uint8)
    large[0, 0] = 2
    placed = resample_masks(drawn(large), None, REGIONS, [identity(GridGeometry((60, 60)))], None, exclusive=True)
    rim, core = placed.points[0]
    assert len(rim) == 512
    assert core.tolist() == [[0, 0]]
