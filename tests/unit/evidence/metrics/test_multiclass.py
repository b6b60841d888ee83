import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from polyclinic.evidence.metrics import multiclass as mc
from polyclinic.evidence.metrics.discrimination import auroc


def _outcomes(seed: int, n: int = 60, classes: int = 4):
    rng = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), rng.integers(0, classes, n - classes)).astype(float)
    chances = rng.dirichlet(np.ones(classes), n) + 0.7 * mc.as_columns(truth, classes)
    return truth, chances / chances.sum(axis=1, keepdims=True)


@given(st.integers(0, 10_000))
def test_as_scikit_learn_has_it(seed):
    truth, chances = _outcomes(seed)
    decision = chances.argmax(axis=1).astype(float)
    theirs = metrics.roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    assert mc.macro_auroc(truth, chances) == pytest.approx(theirs, abs=1e-12)
    theirs = metrics.average_precision_score(mc.as_columns(truth, 4), chances, average="macro")
    assert mc.macro_auprc(truth, chances) == pytest.approx(theirs, abs=1e-12)
    assert mc.macro_f1(truth, decision, 4) == pytest.approx(metrics.f1_score(truth, decision, average="macro"))
    theirs = metrics.balanced_accuracy_score(truth, decision)
    assert mc.balanced_accuracy(truth, decision, 4) == pytest.approx(theirs)
    assert mc.log_loss(truth, chances) == pytest.approx(metrics.log_loss(truth, chances), abs=1e-12)


def test_brier_score_lies_between_zero_and_two():
    truth = np.array([0.0, 1, 2])
    assert mc.brier_score(truth, np.eye(3)) == 0
    assert mc.brier_score(truth, np.eye(3)[[1, 2, 0]]) == 2


def test_a_class_that_is_not_there_is_left_out_of_the_mean():
    truth = np.array([0.0, 0, 1, 1])
    chances = np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.4, 0.5, 0.1], [0.1, 0.7, 0.2]])
    found = mc.by_class(auroc, truth, chances, np.ones((1, 4)))
    np.testing.assert_allclose(found, [[0.75, 1, np.nan]])
    assert mc.macro_auroc(truth, chances) == pytest.approx((0.75 + 1) / 2)


def test_no_class_that_can_be_judged_gives_no_figure():
    assert np.isnan(mc.macro_auroc(np.zeros(3), np.full((3, 3), 1 / 3)))


def test_calibration_error_looks_at_the_likeliest_class():
    truth = np.array([0.0, 1.0])
    chances = np.array([[0.9, 0.05, 0.05], [0.9, 0.05, 0.05]])
    assert mc.expected_calibration_error(truth, chances) == pytest.approx(0.4)
