import numpy as np
import pytest

from polyclinic.answers.spans import SpanAnswer
from polyclinic.evidence.folds import Layout, assess
from polyclinic.evidence.forms.base import Judged, Part, judge_of
from polyclinic.evidence.forms.spans import SpanJudge
from polyclinic.evidence.intervals import draw, estimate
from polyclinic.formats.packed import nothing, pack_all

LABELS = ("drug", "disease")
DRUG, DISEASE = 0, 1
# Start, end, label, seen in training (truth) or confidence (predicted), assertion.
TRUTH = [
    [[0, 7, DRUG, 1, 0], [20, 30, DISEASE, 0, 1], [40, 45, DISEASE, 1, -1]],
    [[5, 9, DRUG, 0, 0]],
    [],
]
PREDICTED = [
    [[0, 7, DRUG, 0.9, 0], [20, 28, DISEASE, 0.6, 1], [40, 45, DISEASE, 0.8, 0]],
    [[5, 9, DISEASE, 0.5, 0]],
    [[1, 2, DRUG, 0.4, 0]],
]


def packed(rows):
    return pack_all([np.array(row, dtype=np.float64).reshape(-1, 5) for row in rows])


def answer(predicted=PREDICTED, truth=TRUTH, assertions=("affirmed", "negated")):
    return SpanAnswer(LABELS, assertions, packed(predicted), packed(truth))


def layout(n):
    return Layout(np.arange(n) + 1, np.arange(n), np.zeros(n, dtype=int), np.zeros(n, dtype=int))


def figures(form, made, resamples=0):
    case = form.case(Part(made, layout(len(made))), None)
    draws = draw(len(made), resamples, 0)
    return case, draws, assess(form.metrics, case, layout(len(made)), draws)


def test_figures_by_hand():
    form = judge_of(answer())
    found = {name: float(value.value) for name, value in figures(form, answer())[2].items()}
    # Exact: 2 of 5 predicted, 2 of 4 true. Part: 3 of 5 predicted, 3 of 4 true (the wrong label touches nothing).
    assert found["entity_precision"] == pytest.approx(2 / 5)
    assert found["entity_recall"] == pytest.approx(2 / 4)
    assert found["entity_f1"] == pytest.approx(4 / 9)
    assert found["partial_f1"] == pytest.approx(2 * 0.6 * 0.75 / 1.35)
    assert found["macro_f1"] == pytest.approx((2 / 4 + 2 / 5) / 2)
    assert found["recall_seen"] == 1.0
    assert found["recall_unseen"] == 0.0
    assert found["assertion_accuracy"] == 1.0


def test_unknown_texts_are_not_judged_and_empty_ones_are():
    made = SpanAnswer(LABELS, (), packed(PREDICTED), np.concatenate([packed(TRUTH)[:2], nothing(1)]))
    assert SpanJudge(LABELS).known(made).tolist() == [True, True, False]
    assert SpanJudge(LABELS).known(answer()).all()


def test_nothing_true_and_nothing_predicted_is_no_figure():
    found = figures(SpanJudge(LABELS), answer([[]], [[]]))[2]
    assert np.isnan(found["entity_f1"].value)


def test_predicted_where_nothing_is_counts_as_nought():
    found = figures(SpanJudge(LABELS), answer(PREDICTED[2:], [[]]))[2]
    assert found["entity_f1"].value == 0


def test_resamples_of_patients_equal_texts_repeated():
    form = SpanJudge(LABELS)
    case, draws, found = figures(form, answer(), resamples=20)
    for number in range(20):
        again = np.repeat(np.arange(3), draws[number])
        if case.truth[again].sum():
            alone = figures(form, answer([PREDICTED[k] for k in again], [TRUTH[k] for k in again]))[2]
            assert found["entity_f1"].resampled[number] == pytest.approx(float(alone["entity_f1"].value))
    assert estimate(found["entity_f1"], 0.95).low <= 4 / 9 <= estimate(found["entity_f1"], 0.95).high


def test_details_by_label_and_calibration():
    form = SpanJudge(LABELS)
    case, draws, found = figures(form, answer(), resamples=5)
    detail = form.detail(Judged(case, layout(3), draws, 0.95, found))
    assert detail.per_class["drug"]["entity_f1"].value == pytest.approx(0.5)
    assert detail.per_class["disease"]["entity_recall"].value == pytest.approx(0.5)
    assert 0 <= detail.calibration.after["expected_calibration_error"].value <= 1
    shown = form.show(case)
    assert shown.truth.tolist() == ["1 drug, 2 disease", "1 drug", "none"]
    assert shown.loss.tolist() == [2, 2, 1]


def test_counts_name_every_label():
    assert SpanJudge(LABELS).counts(answer(), layout(3)).per_class == {"drug": 2, "disease": 2}


def test_spans_within_spans_are_told_apart():
    truth = [[[0, 10, DISEASE, 0, -1], [0, 4, DISEASE, 0, -1]]]
    found = figures(SpanJudge(LABELS), answer([[[0, 4, DISEASE, 0.5, -1]]], truth))[2]
    assert found["entity_recall"].value == 0.5


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ([3, 5, DRUG, 1.5, -1], "impossible_confidence"),
        ([3, 5, 7, 0.5, -1], "unknown_label"),
        ([5, 5, DRUG, 0.5, -1], "impossible_span"),
    ],
)
def test_impossible_answers_are_named_by_row(wrong, name):
    made = answer([PREDICTED[0], [wrong], []])
    (finding,) = SpanJudge(LABELS).check(made, np.array([1, 2, 3]), "here")
    assert finding.name == name
    assert finding.rows == (2,)
