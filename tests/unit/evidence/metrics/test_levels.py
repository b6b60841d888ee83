"""Figures of points from counts at 256 levels, against scikit-learn on the points themselves."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from polyclinic.evidence.metrics import calibration, levels


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(3)
    truth = rng.random(4000) < 0.2
    probability = np.clip(rng.normal(60 + 70 * truth, 45), 0, 255).round().astype(np.uint8)
    return probability, truth


def test_ranking_is_that_of_scikit_learn(points):
    probability, truth = points
    true, other = levels.tally(probability, truth)
    assert levels.auroc(true, other) == pytest.approx(roc_auc_score(truth, probability))
    assert levels.auprc(true, other) == pytest.approx(average_precision_score(truth, probability))


def test_calibration_is_that_of_single_points(points):
    probability, truth = points
    chance, true = probability / 255, truth.astype(float)
    tallied = levels.tally(probability, truth)
    assert levels.brier_score(*tallied) == pytest.approx(brier_score_loss(truth, chance))
    expected = calibration.expected_calibration_error(true, chance)
    assert levels.expected_calibration_error(*tallied) == pytest.approx(expected)


def test_large_records_are_tallied_in_pieces(points, monkeypatch):
    whole = levels.tally(*points)
    monkeypatch.setattr(levels, "_AT_ONCE", 333)
    assert np.array_equal(np.stack(levels.tally(*points)), np.stack(whole))


def test_one_class_alone_has_no_ranking():
    true, other = levels.tally(np.array([1, 2], dtype=np.uint8), np.array([True, True]))
    assert np.isnan(levels.auroc(true, other))
    assert np.isnan(levels.roc_curve(true, other, np.linspace(0, 1, 3))).all()


def test_curves_pass_through_known_points():
    true, other = levels.tally(np.array([255, 200, 100, 50], dtype=np.uint8), np.array([True, False, True, False]))
    grid = np.array([0.0, 0.5, 1.0])
    assert levels.roc_curve(true, other, grid) == pytest.approx([0.5, 1.0, 1.0], abs=1e-6)
    assert levels.precision_recall_curve(true, other, grid) == pytest.approx([1.0, 1.0, 2 / 3])


def test_every_figure_takes_a_stack_of_counts(points):
    true, other = levels.tally(*points)
    stacked = [np.stack([counts, 2 * counts]) for counts in (true, other)]
    for function in (levels.auroc, levels.auprc, levels.brier_score, levels.expected_calibration_error):
        assert function(*stacked) == pytest.approx([float(function(true, other))] * 2)


def test_the_calibration_curve_holds_every_point(points):
    true, other = levels.tally(*points)
    curve = levels.calibration_curve(true, other, 0.95)
    assert sum(point.n for point in curve) == 4000
    assert all(point.low <= point.observed <= point.high for point in curve)
