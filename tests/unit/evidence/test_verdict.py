import re
from dataclasses import replace

import pytest

from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import Estimate, HeldAgainst, Outcome
from polyclinic.evidence.verdict import Wording, hold_against, in_english, least_favourable, sentence, title
from polyclinic.translations.language import read_language

AUROC = Metric("auroc", lambda case, w: 0.0, Better.HIGHER, "")
RMSE = Metric("rmse", lambda case, w: 0.0, Better.LOWER, "")
SLOPE = Metric("calibration_slope", lambda case, w: 0.0, Better.ONE, "")


def held(metric, value, low, high, margin=None, model="logistic") -> HeldAgainst:
    ours, theirs = Estimate(0.7 + (value or 0), None, None, 9), Estimate(0.7, None, None, 9)
    return hold_against(metric, ours, model, theirs, Estimate(value, low, high), margin)


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "margin", "outcome", "words"),
    [
        (AUROC, 0.1, 0.05, 0.15, None, "better", "ours is better than logistic: AUROC 0.800 against 0.700, difference"),
        (AUROC, -0.1, -0.15, -0.05, None, "worse", "ours is worse than logistic: AUROC 0.600 against 0.700"),
        (RMSE, 0.1, 0.05, 0.15, None, "worse", "ours is worse than logistic: RMSE 0.800"),
        (RMSE, -0.1, -0.15, -0.05, None, "better", "ours is better than logistic: RMSE"),
        (AUROC, 0.0, -0.03, 0.25, None, "undecided", "worse by up to 0.030. Whether it is as good was not asked"),
        (RMSE, 0.1, -0.05, 0.25, None, "undecided", "worse by up to 0.250. Whether"),
        (AUROC, 0.0, -0.03, 0.25, 0.01, "undecided", "worse by up to 0.030, more than the margin of 0.010 allows."),
        (AUROC, 0.0, -0.009, 0.02, 0.01, "not_worse", "is not worse than logistic by more than the margin of 0.010"),
        (AUROC, 0.0, -0.01, 0.02, 0.01, "undecided", "cannot be told apart"),
        (RMSE, 0.0, -0.3, 0.4, 0.5, "not_worse", "by more than the margin of 0.500: RMSE"),
        (RMSE, 0.0, -0.6, 0.51, 0.5, "undecided", "up to 0.510"),
        (AUROC, -0.003, -0.004, -0.002, 0.01, "worse", "lies within the margin of 0.010, though."),
        (AUROC, -0.03, -0.04, -0.02, 0.01, "worse", "worse by more than the margin of 0.010."),
        (AUROC, 0.0, 0.0, 0.0, None, "undecided", "by up to 0.000"),
        (AUROC, 0.1, None, None, 0.01, "not_compared", "nobody can say whether it is real"),
        (AUROC, None, None, None, None, "not_compared", "cannot be compared by AUROC"),
        (SLOPE, 0.1, 0.05, 0.15, None, "not_compared", "neither can be called better"),
    ],
)
def test_what_the_interval_of_the_difference_amounts_to(metric, value, low, high, margin, outcome, words):
    found = held(metric, value, low, high, margin)
    assert found.outcome == outcome
    assert words in sentence(found, in_english("ours"))


def test_the_least_favourable_of_several_is_told():
    ahead = held(AUROC, 0.1, 0.05, 0.15)
    level = held(AUROC, 0.1, -0.01, 0.2, model="boosting")
    behind = held(AUROC, -0.01, -0.02, -0.001, model="forest")
    wide = held(AUROC, 0.0, -0.4, 0.4, model="dummy")
    unknown = held(AUROC, None, None, None, model="broken")
    assert least_favourable([]) is None
    assert least_favourable([ahead, level]) == replace(level, among=2)
    assert least_favourable([ahead, level, wide]).model == "dummy"  # it may be worse by more
    assert least_favourable([wide, behind, ahead]).model == "forest"  # surely worse, if by little
    assert least_favourable([ahead, unknown]).outcome is Outcome.NOT_COMPARED
    assert least_favourable([unknown, level]).outcome is Outcome.UNDECIDED


def test_better_is_said_of_each_of_several():
    found = least_favourable([held(AUROC, 0.1, 0.05, 0.15), held(AUROC, 0.1, 0.02, 0.2, model="boosting")])
    assert sentence(found, in_english("ours")).startswith(
        "ours is better than each of 2 plain models. Nearest comes boosting: AUROC 0.800 against 0.700, difference "
        "+0.100 (+0.020 to +0.200)."
    )


def test_an_error_is_turned_to_see_who_is_ahead():
    found = held(RMSE, 1.0, -2.0, 4.0)
    assert found.lead == Estimate(-1.0, -4.0, 2.0)
    assert (found.possible_loss, held(RMSE, -3.0, -4.0, -2.0).possible_loss) == (4.0, 0.0)
    assert held(RMSE, 1.0, None, None).possible_loss is None


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("margin", [None, 0.01, 0.1])
def test_every_sentence_is_translated(outcome, margin):
    chinese = read_language("zh")
    for low in (-0.05, None):
        found = replace(held(AUROC, 0.0, low, low and 0.05, margin), outcome=outcome, among=2)
        found = found if low else replace(found, difference=Estimate())
        said = chinese.translate(sentence(found, Wording("模型", *[lambda *given: "3"] * 4)))
        assert "模型" in said
        assert not re.search("[a-z]", said), said


def test_metrics_have_readable_names():
    assert title("macro_auroc") == "macro AUROC"
    assert title("concordance_index") == "concordance index"
