"""Figures by class: how they are made for each draw, and how they become one."""

from types import SimpleNamespace

import numpy as np
import pytest

from polyclinic.evidence.metrics.calibration import error_of_found, expected_calibration_error
from polyclinic.evidence.per_class import macro, means, on, ratios

CASE = SimpleNamespace(part=np.array([[1.0, 0.0], [2.0, np.nan]]), whole=np.array([[2.0, 0.0], [2.0, 0.0]]))
TWICE = np.array([[1.0, 1.0], [0.0, 2.0]])


def test_a_mean_leaves_out_what_is_not_known():
    figure = means(lambda case: case.part)
    np.testing.assert_array_equal(figure(CASE, None), [1.5, 0.0])
    np.testing.assert_array_equal(figure(CASE, TWICE), [[1.5, 0.0], [2.0, np.nan]])


def test_a_share_is_of_all_drawn_samples_together():
    figure = ratios(lambda case: case.part[:, 0], lambda case: case.whole[:, 0])
    assert figure(CASE, None) == pytest.approx(0.75)
    np.testing.assert_array_equal(figure(CASE, TWICE), [0.75, 1.0])


def test_a_macro_figure_is_the_mean_over_the_classes_that_have_one():
    figure = macro(ratios(lambda case: np.nan_to_num(case.part), lambda case: case.whole))
    assert figure(CASE, None) == pytest.approx(0.75)
    np.testing.assert_array_equal(figure(CASE, TWICE), [0.75, 1.0])


def test_a_function_reads_the_named_arrays_of_a_case_and_the_weights_last():
    assert on("whole", "part")(lambda *given: given)(CASE, TWICE) == (CASE.whole, CASE.part, TWICE)


def test_found_things_count_as_often_as_their_sample_is_drawn():
    hits = [np.array([1.0, 0.0]), np.array([]), np.array([1.0])]
    sure = [np.array([0.9, 0.4]), np.array([]), np.array([0.7])]
    drawn = error_of_found(hits, sure, np.array([[2.0, 1.0, 1.0]]))
    flat = expected_calibration_error(np.array([1.0, 0, 1, 0, 1]), np.array([0.9, 0.4, 0.9, 0.4, 0.7]))
    assert drawn == pytest.approx(np.array([flat]))
    assert np.isnan(error_of_found([np.array([])], [np.array([])]))
