import numpy as np
import pytest
from sklearn import metrics

from polyclinic.evidence.metrics import multilabel as ml
from polyclinic.evidence.metrics.discrimination import auroc


@pytest.fixture
def outcomes():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (50, 3)).astype(float)
    return truth, np.clip(0.3 * truth + 0.7 * rng.random((50, 3)), 0, 1)


def test_as_scikit_learn_has_it_when_everything_is_known(outcomes):
    truth, chances = outcomes
    decision = (chances >= 0.5).astype(float)
    assert ml.macro_auroc(truth, chances) == pytest.approx(metrics.roc_auc_score(truth, chances))
    assert ml.macro_auprc(truth, chances) == pytest.approx(metrics.average_precision_score(truth, chances))
    assert ml.macro_f1(truth, decision) == pytest.approx(metrics.f1_score(truth, decision, average="macro"))
    assert ml.accuracy(truth, decision) == pytest.approx((truth == decision).mean())
    assert ml.brier_score(truth, chances) == pytest.approx(((truth - chances) ** 2).mean())


def test_unknown_labels_are_skipped_label_by_label(outcomes):
    truth, chances = outcomes
    holey = truth.copy()
    holey[:10, 0] = np.nan
    holey[5:20, 2] = np.nan
    kept = np.r_[:5, 20:50]
    first = auroc(truth[10:, 0], chances[10:, 0])
    second = auroc(truth[:, 1], chances[:, 1])
    third = auroc(truth[kept, 2], chances[kept, 2])
    by_hand = np.mean([first, second, third])  # the three count the same
    weights = np.ones((2, 50))
    assert ml.macro_auroc(holey, chances) == pytest.approx(by_hand)
    np.testing.assert_allclose(ml.macro_auroc(holey, chances, weights), by_hand)
    for figure in (ml.macro_auprc, ml.brier_score, ml.log_loss, ml.expected_calibration_error):
        assert np.isfinite(figure(holey, chances))


def test_a_label_that_nobody_knows_is_left_out(outcomes):
    truth, chances = outcomes
    truth[:, 1] = np.nan
    assert ml.macro_auroc(truth, chances) == pytest.approx(ml.macro_auroc(truth[:, [0, 2]], chances[:, [0, 2]]))
