import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from polyclinic.evidence.metrics.discrimination import auprc, auroc, precision_recall_curve, roc_curve

GRID = np.linspace(0, 1, 51)


def _outcomes(seed: int, n: int = 60, decimals: int = 1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n).astype(float)
    truth[:2] = (0, 1)
    return truth, np.round(rng.normal(size=n) + truth, decimals)


@given(st.integers(0, 10_000), st.integers(0, 6))
def test_as_scikit_learn_has_it_with_and_without_ties(seed, decimals):
    truth, score = _outcomes(seed, decimals=decimals)
    weights = np.random.default_rng(seed).integers(0, 4, (3, len(truth))).astype(float)
    weights[:, :2] += 1
    assert auroc(truth, score) == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
    assert auprc(truth, score) == pytest.approx(metrics.average_precision_score(truth, score), abs=1e-12)
    theirs = [metrics.roc_auc_score(truth, score, sample_weight=w) for w in weights]
    np.testing.assert_allclose(auroc(truth, score, weights), theirs, atol=1e-12)
    theirs = [metrics.average_precision_score(truth, score, sample_weight=w) for w in weights]
    np.testing.assert_allclose(auprc(truth, score, weights), theirs, atol=1e-12)


@given(st.integers(0, 10_000))
def test_a_monotone_change_of_the_score_changes_nothing(seed):
    truth, score = _outcomes(seed)
    for change in (np.exp, lambda x: 3 * x - 7, lambda x: x**3):
        assert auroc(truth, change(score)) == auroc(truth, score)
        assert auprc(truth, change(score)) == auprc(truth, score)


def test_perfect_reversed_and_constant_scores():
    truth = np.array([0.0, 0, 1, 1])
    assert auroc(truth, truth) == 1
    assert auroc(truth, -truth) == 0
    assert auroc(truth, np.zeros(4)) == 0.5
    assert auprc(truth, truth) == 1
    assert auprc(truth, np.zeros(4)) == 0.5  # the prevalence


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_class_only_has_no_figure(value):
    truth, score = np.full(4, value), np.arange(4.0)
    assert np.isnan(auroc(truth, score))
    assert np.isnan(auprc(truth, score))


def test_a_resample_of_one_class_has_no_figure_and_spoils_no_other():
    truth, score = np.array([0.0, 0, 1, 1]), np.array([1.0, 3, 2, 4])
    weights = np.array([[1.0, 1, 1, 1], [2, 2, 0, 0], [0, 0, 0, 0]])
    found = auroc(truth, score, weights)
    assert found[0] == 0.75
    assert np.isnan(found[1:]).all()


def test_roc_curve_encloses_the_auroc():
    truth, score = _outcomes(3, n=400, decimals=5)
    fine = np.linspace(0, 1, 20_001)
    curve = roc_curve(truth, score, fine)
    assert np.trapezoid(curve, fine) == pytest.approx(auroc(truth, score), abs=1e-3)
    assert curve[-1] == 1
    assert (np.diff(curve) >= 0).all()


def test_roc_curve_starts_with_those_found_without_a_false_alarm():
    truth, score = np.array([0.0, 0, 1, 1]), np.array([0.2, 0.7, 0.6, 0.9])
    np.testing.assert_allclose(roc_curve(truth, score, np.array([0, 0.25, 0.5, 1])), [0.5, 0.5, 1, 1])


def test_precision_recall_curve_of_a_small_example():
    truth, score = np.array([0.0, 0, 1, 1]), np.array([0.2, 0.7, 0.6, 0.9])
    found = precision_recall_curve(truth, score, np.array([0, 0.5, 0.51, 1]))
    np.testing.assert_allclose(found, [1, 1, 2 / 3, 2 / 3])


def test_precision_recall_curve_starts_at_a_false_alarm_if_that_scores_highest():
    truth, score = np.array([1.0, 0]), np.array([0.2, 0.7])
    np.testing.assert_allclose(precision_recall_curve(truth, score, np.array([0.0, 1])), [0.5, 0.5])


def test_curves_of_resamples_are_those_of_repeated_rows():
    truth, score = _outcomes(5, n=30)
    weights = np.random.default_rng(1).integers(0, 3, (2, 30)).astype(float)
    for curve in (roc_curve, precision_recall_curve):
        found = curve(truth, score, GRID, weights)
        for drawn, line in zip(weights, found, strict=True):
            again = np.repeat(np.arange(30), drawn.astype(int))
            np.testing.assert_allclose(line, curve(truth[again], score[again], GRID), atol=1e-12)


def test_curves_of_one_class_are_not_known():
    assert np.isnan(roc_curve(np.zeros(3), np.arange(3.0), GRID)).all()
    assert np.isnan(precision_recall_curve(np.zeros(3), np.arange(3.0), GRID)).all()
