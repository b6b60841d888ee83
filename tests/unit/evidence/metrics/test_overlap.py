"""Overlap, outlines and lesions against MONAI and SimpleITK, and where a region is empty."""

import json
from pathlib import Path

import numpy as np
import pytest

from known.drawn_masks import SHAPES, balls, pair
from polyclinic.evidence.metrics.overlap import judge_region
from polyclinic.evidence.metrics.surface import around, compare, surface

ORACLE = json.loads((Path(__file__).parents[3] / "known" / "overlap_oracle.json").read_text())["shapes"]


@pytest.fixture(params=list(SHAPES))
def name(request):
    return request.param


def judged(name, tolerance=1.0):
    return judge_region(*pair(name), SHAPES[name].spacing, tolerance)


@pytest.mark.parametrize("figure", ["dice", "iou", "size_error", "hausdorff_95", "surface_dice"])
def test_figures_are_those_of_monai_and_simpleitk(name, figure):
    assert getattr(judged(name), figure) == pytest.approx(ORACLE[name][figure], rel=1e-6, abs=1e-6)


def test_points_are_counted_as_monai_counts_them(name):
    found, (both, wrong, outside, missed) = judged(name), ORACLE[name]["confusion"]
    assert (found.both, found.predicted - found.both) == (both, wrong)
    assert (found.outside, found.true - found.both) == (outside, missed)


def test_lesions_are_those_of_simpleitk(name):
    found = judged(name)
    assert (found.lesions, found.lesions_found) == (ORACLE[name]["lesions"], ORACLE[name]["lesions_found"])


def test_false_lesions_touch_nothing():
    assert judged("far_lesions").lesions_false == 2
    assert judged("flat").lesions_false == 0


def test_points_at_a_corner_are_one_lesion():
    truth = np.zeros((4, 4), dtype=bool)
    truth[1, 1] = truth[2, 2] = True
    assert judge_region(truth, truth, (1.0, 1.0), 1.0).lesions == 1


def test_distances_follow_the_spacing():
    predicted, truth = pair("flat")
    near = judge_region(predicted, truth, (1.0, 1.0), 1.0).hausdorff_95
    assert judge_region(predicted, truth, (2.5, 2.5), 1.0).hausdorff_95 == pytest.approx(2.5 * near)


def test_a_perfect_answer():
    _, truth = pair("border")
    found = judge_region(truth, truth, SHAPES["border"].spacing, 1.0)
    assert (found.dice, found.iou, found.surface_dice) == (1, 1, 1)
    assert (found.hausdorff_95, found.size_error, found.size_error_percent, found.lesions_false) == (0, 0, 0, 0)


def test_nothing_there_and_nothing_said_is_right():
    nothing = np.zeros((5, 6, 7), dtype=bool)
    found = judge_region(nothing, nothing, (1.0, 1.0, 1.0), 1.0)
    assert (found.dice, found.iou, found.surface_dice, found.hausdorff_95, found.size_error_percent) == (1, 1, 1, 0, 0)


@pytest.mark.parametrize("there", [True, False])
def test_one_empty_mask_has_no_distance(there):
    something = balls((9, 9), (1, 1), [(4, 4, 2)])
    nothing = np.zeros((9, 9), dtype=bool)
    predicted, truth = (nothing, something) if there else (something, nothing)
    found = judge_region(predicted, truth, (1.0, 1.0), 1.0)
    assert (found.dice, found.iou, found.surface_dice) == (0, 0, 0)
    assert np.isnan(found.hausdorff_95)
    assert np.isnan(found.size_error_percent) != there
    assert found.lesions_false == (not there)


def test_a_box_around_nothing_is_everything():
    assert around(np.zeros((3, 4), dtype=bool)) == (slice(0, 3), slice(0, 4))


def test_the_border_of_the_array_is_outside():
    assert surface(np.ones((4, 4), dtype=bool)).sum() == 12


def test_cropping_changes_no_distance():
    predicted, truth = pair("thick_slices")
    wide = [np.pad(mask, 9) for mask in (predicted, truth)]
    spacing = SHAPES["thick_slices"].spacing
    assert np.array_equal(compare(*wide, spacing).to_truth, compare(predicted, truth, spacing).to_truth)
