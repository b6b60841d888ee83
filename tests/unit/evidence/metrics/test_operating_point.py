import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from polyclinic.evidence.metrics import operating_point as op


def _decisions(seed: int):
    rng = np.random.default_rng(seed)
    truth, decision = rng.integers(0, 2, (2, 40)).astype(float)
    truth[:4], decision[:4] = (0, 0, 1, 1), (0, 1, 0, 1)
    return truth, decision


@given(st.integers(0, 10_000))
def test_as_scikit_learn_has_it(seed):
    truth, decision = _decisions(seed)
    assert op.sensitivity(truth, decision) == pytest.approx(metrics.recall_score(truth, decision))
    assert op.specificity(truth, decision) == pytest.approx(metrics.recall_score(1 - truth, 1 - decision))
    assert op.ppv(truth, decision) == pytest.approx(metrics.precision_score(truth, decision))
    assert op.npv(truth, decision) == pytest.approx(metrics.precision_score(1 - truth, 1 - decision))
    assert op.accuracy(truth, decision) == pytest.approx(metrics.accuracy_score(truth, decision))
    assert op.balanced_accuracy(truth, decision) == pytest.approx(metrics.balanced_accuracy_score(truth, decision))
    assert op.f1(truth, decision) == pytest.approx(metrics.f1_score(truth, decision))


def test_what_has_no_denominator_has_no_figure():
    nobody = np.zeros(3)
    assert np.isnan(op.sensitivity(nobody, nobody))
    assert np.isnan(op.ppv(nobody, nobody))
    assert np.isnan(op.npv(nobody, nobody + 1))
    assert np.isnan(op.f1(nobody, nobody))
    assert np.isnan(op.balanced_accuracy(nobody, nobody))
    assert op.specificity(nobody, nobody) == 1


def test_youden_lies_in_the_middle_of_the_gap():
    assert op.youden_threshold(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) == pytest.approx(0.5)


def test_youden_prefers_the_lower_of_equally_good_thresholds():
    truth, score = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.3, 0.5, 0.7])
    assert op.youden_threshold(truth, score) == pytest.approx(0.2)


def test_youden_of_a_useless_score_alarms_everyone():
    truth = np.array([1.0, 1, 0, 0])
    assert op.youden_threshold(truth, np.array([0.1, 0.2, 0.8, 0.9])) == 0.1
    assert op.youden_threshold(truth, np.full(4, 0.3)) == 0.3


def test_youden_needs_both_classes():
    assert np.isnan(op.youden_threshold(np.zeros(3), np.arange(3.0)))


@given(st.integers(0, 10_000))
def test_youden_is_the_best_of_all_thresholds(seed):
    rng = np.random.default_rng(seed)
    truth = np.append([0.0, 1.0], rng.integers(0, 2, 30))
    score = np.round(rng.random(32) + truth / 3, 1)

    def gain(threshold):
        decision = (score >= threshold).astype(float)
        return op.sensitivity(truth, decision) + op.specificity(truth, decision)

    assert gain(op.youden_threshold(truth, score)) == pytest.approx(max(gain(t) for t in [*score, 9.0]))
