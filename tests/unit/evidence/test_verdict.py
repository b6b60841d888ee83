import pytest

from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import Estimate
from polyclinic.evidence.verdict import title, verdict

AUROC = Metric("auroc", lambda case, w: 0.0, Better.HIGHER, "")
RMSE = Metric("rmse", lambda case, w: 0.0, Better.LOWER, "")


def _say(metric, value, low, high):
    ours, theirs = Estimate(0.7 + value, None, None, 9), Estimate(0.7, None, None, 9)
    return verdict(metric, "polyclinic", ours, "logistic", theirs, Estimate(value, low, high))


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "words"),
    [
        (AUROC, 0.1, 0.05, 0.15, "polyclinic is better than logistic: AUROC 0.800 against 0.700"),
        (AUROC, -0.1, -0.15, -0.05, "logistic is better than polyclinic: AUROC 0.600 against 0.700"),
        (RMSE, 0.1, 0.05, 0.15, "logistic is better than polyclinic: RMSE"),
        (RMSE, -0.1, -0.15, -0.05, "polyclinic is better than logistic: RMSE"),
        (AUROC, 0.1, -0.05, 0.25, "cannot be told apart"),
        (AUROC, 0.1, None, None, "nobody can say whether it is real"),
        (AUROC, float("nan"), None, None, "could not be computed"),
    ],
)
def test_one_sentence_says_who_wins(metric, value, low, high, words):
    assert words in _say(metric, value, low, high)


def test_metrics_have_readable_names():
    assert title("macro_auroc") == "macro AUROC"
    assert title("concordance_index") == "concordance index"
