import time

import numpy as np
import pytest

from polyclinic.answers.boxes import BoxAnswer
from polyclinic.evidence.folds import Layout, assess
from polyclinic.evidence.forms.base import Judged, Part
from polyclinic.evidence.forms.boxes import FROC_RATES, BoxJudge
from polyclinic.evidence.intervals import draw
from polyclinic.evidence.judge import judge
from polyclinic.evidence.metrics.detection import RATES
from polyclinic.formats.packed import nothing, pack_all
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

NAMES = ("red", "white")


def answer(predicted, truth, thresholds=(0.5, 0.5)):
    def held(rows, width):
        return pack_all([np.array(r, dtype=np.float32).reshape(-1, width) for r in rows])

    dim = 2
    return BoxAnswer(
        NAMES, "px", np.tile(thresholds, (len(truth), 1)), held(predicted, 2 + 2 * dim), held(truth, 1 + 2 * dim)
    )


def layout(n):
    return Layout(np.arange(n) + 1, np.arange(n), np.zeros(n, dtype=int), np.zeros(n, dtype=int))


TRUTH = [
    [[0, 0, 0, 10, 10], [0, 20, 20, 30, 30], [1, 50, 50, 60, 60]],
    [[0, 0, 0, 10, 10]],
    [],
]
PREDICTED = [
    [[0.9, 0, 0, 0, 10, 10], [0.8, 1, 50, 50, 60, 61], [0.4, 0, 20, 20, 30, 30]],
    [[0.7, 0, 0, 0, 10, 10], [0.6, 0, 0, 0, 9, 9]],
    [[0.3, 1, 0, 0, 10, 10]],
]


def figures(form, made, resamples=0):
    case = form.case(Part(made, layout(len(made))), None)
    draws = draw(len(made), resamples, 0)
    return case, draws, assess(form.metrics, case, layout(len(made)), draws)


def test_figures_by_hand():
    form = BoxJudge(NAMES)
    _, _, found = figures(form, answer(PREDICTED, TRUTH))
    # red: hit .9, hit .7, miss .6, hit .4, of 3; white: hit .8, miss .3, of 1
    assert found["map_50"].value == pytest.approx(((1 / 3 + 1 / 3 + 1 / 3 * 3 / 4) + 1) / 2)
    assert found["object_sensitivity"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["object_precision"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["false_boxes"].value == pytest.approx(1 / 3)
    assert found["count_error"].value == pytest.approx((2 / 3 + 0) / 2)
    assert found["sensitivity_at_1_false"].value == pytest.approx(1.0)


def test_details_and_what_is_shown():
    form, made = BoxJudge(NAMES), answer(PREDICTED, TRUTH)
    case, draws, found = figures(form, made, 20)
    detail = form.detail(Judged(case, layout(3), draws, 0.95, found))
    assert detail.per_class["white"]["average_precision_50"].value == 1.0
    assert detail.per_class["red"]["count_bias"].value == pytest.approx(0.0)
    assert set(detail.curves["precision_recall_per_class"]) == set(NAMES)
    assert detail.operating_point.label_thresholds == {"red": (0.5,), "white": (0.5,)}
    assert form.counts(made, layout(3)).per_class == {"red": 3, "white": 1}
    shown = form.show(case)
    assert shown.truth.tolist() == ["2 red, 1 white", "1 red", "none"]
    assert shown.answer.tolist() == ["1 red, 1 white", "2 red", "none"]
    assert shown.loss == pytest.approx([1 - 4 / 5, 1 - 2 / 3, 0])


def test_the_froc_curve_passes_through_the_rates_of_cpm():
    form, made = BoxJudge(NAMES), answer(PREDICTED, TRUTH)
    case, draws, found = figures(form, made, 20)
    curve = form.detail(Judged(case, layout(3), draws, 0.95, found)).curves["froc"]
    at = np.searchsorted(FROC_RATES, RATES)
    assert np.mean(np.array(curve.y)[at]) == pytest.approx(found["cpm"].value)
    # red at 1/8 of 3 pictures: no false box may be taken, so 2 of 3 are found; white: 1 of 1
    assert curve.y[0] == pytest.approx((2 / 3 + 1) / 2)
    assert curve.y[-1] == pytest.approx(1.0)
    assert all(low <= high for low, high in zip(curve.low, curve.high, strict=True))


def test_the_curve_of_a_plain_model_stands_beside_ours():
    n = len(TRUTH)
    parts, zeros = np.repeat(["test", "tune"], n), np.zeros(2 * n, dtype=int)
    samples = Samples(np.arange(2 * n) + 1, np.arange(2 * n).astype(str), parts, zeros, zeros, None, {})

    def model(name, predicted):
        return Predictions(name, samples, {"found": answer(predicted * 2, TRUTH * 2)}, np.zeros(2 * n))

    half = [[box for box in boxes if box[0] > 0.65] for boxes in PREDICTED]
    settings = EvidenceSection(resamples=10)
    ours, plain = model("polyclinic", PREDICTED), [model("twin", PREDICTED), model("half", half)]
    found = judge(ours, plain, settings, seed=1).targets["found"]
    assert found.baselines["twin"].curve == found.curves["froc"]
    assert found.baselines["half"].curve.y[-1] == pytest.approx((2 / 3 + 1) / 2)
    assert found.curves["froc"].y[-1] == pytest.approx(1.0)


def test_unknown_is_not_the_same_as_none():
    made = answer(PREDICTED, TRUTH)
    made.truth[0] = nothing(1)[0]
    assert BoxJudge(NAMES).known(made).tolist() == [False, True, True]


def test_nothing_found_at_all():
    form = BoxJudge(NAMES)
    case, draws, found = figures(form, answer([[], [], []], TRUTH), 5)
    assert found["map_50"].value == 0
    assert form.detail(Judged(case, layout(3), draws, 0.95, found)).calibration.curve == ()


def test_impossible_answers_are_named_by_row():
    wrong = [[[1.5, 0, 0, 0, 1, 1]], [[0.5, 7, 0, 0, 1, 1]], [[0.5, 0, 9, 9, 1, 1]]]
    found = BoxJudge(NAMES).check(answer(wrong, TRUTH), np.array([4, 5, 6]), "predictions")
    assert [(f.name, f.rows) for f in found] == [
        ("impossible_score", (4,)),
        ("unknown_class", (5,)),
        ("impossible_box", (6,)),
    ]
    right = answer(PREDICTED, TRUTH)
    right.truth[0] = nothing(1)[0]
    assert not BoxJudge(NAMES).check(right, np.arange(3), "predictions")


def test_boxes_of_scans_hit_at_a_tenth():
    truth = pack_all([np.array([[0, 0, 0, 0, 4, 4, 4]], dtype=np.float32)])
    predicted = pack_all([np.array([[0.9, 0, 0, 0, 2, 4, 4, 6]], dtype=np.float32)])  # overlap 1/3
    made = BoxAnswer(("nodule",), "px", np.full((1, 1), 0.5), predicted, truth)
    form = BoxJudge(("nodule",), 3)
    _, _, found = figures(form, made)
    assert form.headline[0] == "map_10"
    assert (found["map_10"].value, found["map_50"].value, found["object_sensitivity"].value) == (1.0, 0.0, 1.0)


def test_a_thousand_resamples_take_seconds():
    rng = np.random.default_rng(0)
    truth, predicted = [], []
    for _ in range(72):
        low = rng.uniform(0, 500, (15, 2))
        there = np.concatenate([rng.integers(0, 2, (15, 1)), low, low + 40], axis=1)
        guesses = np.repeat(there, 4, axis=0) + rng.normal(0, 4, (60, 5)) * [0, 1, 1, 1, 1]
        truth.append(there)
        predicted.append(np.concatenate([rng.random((60, 1)), guesses], axis=1))
    start = time.process_time()
    _, _, found = figures(BoxJudge(NAMES), answer(predicted, truth), 1000)
    assert np.isfinite(found["map_50_95"].resampled).all()
    assert time.process_time() - start < 10
