import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from polyclinic.answers.classes import ClassAnswer
from polyclinic.errors import EvidenceError, StudyError
from polyclinic.evidence.forms.base import judge_of
from polyclinic.evidence.forms.value import ValueJudge
from polyclinic.evidence.judge import judge
from polyclinic.evidence.records import EventsByTime, Evidence, plain
from polyclinic.study.schema import EvidenceSection

QUICK = EvidenceSection(resamples=20)
BARE = EvidenceSection(resamples=0)


@pytest.fixture
def ours(make):
    return make("binary", n=120, folds=2, repeats=1)[0]


def _with(predictions, **changes):
    return replace(predictions, answers={"outcome": replace(predictions.answers["outcome"], **changes)})


def test_the_document_has_the_promised_keys_for_every_form(evidence, form):
    document = evidence[form].document()
    assert (document["format"], document["confidence"], document["resamples"], document["seed"]) == (1, 0.95, 60, 1)
    target = document["targets"]["outcome"]
    assert target["form"] == form
    promised = {
        *("form", "counts", "headline", "metrics", "per_class", "calibration", "curves", "subgroups"),
        *("subgroup_note", "baselines", "baseline", "verdict", "comparison", "worst", "degenerate"),
    }
    assert promised <= set(target)
    assert set(target["headline"]) <= set(target["metrics"])
    for metric in target["metrics"].values():
        assert set(metric) == {"value", "low", "high", "n"}
        assert metric["low"] <= metric["value"] <= metric["high"]
    assert set(target["baselines"]) == {"logistic", "boosting"}
    for other in target["baselines"].values():
        assert set(other["metrics"]) == set(other["difference"]) == set(target["metrics"])
    assert {group["column"] for group in target["subgroups"]} == {"site", "sex", "band"}
    assert all(set(group["metrics"]) == set(target["headline"]) for group in target["subgroups"])
    assert len(target["worst"]) == 10
    assert target["verdict"].startswith("polyclinic is better than ")


def test_every_curve_has_at_most_200_points(evidence, form):
    def longest(value):
        if isinstance(value, dict):
            return max((longest(entry) for entry in value.values()), default=0)
        if isinstance(value, list):
            return max([len(value), *(longest(entry) for entry in value)])
        return 0

    assert longest(evidence[form].document()["targets"]["outcome"]["curves"]) <= 200


def test_the_document_is_plain_and_finite_json(evidence, form):
    text = json.dumps(evidence[form].document(), allow_nan=False)
    assert json.loads(text) == evidence[form].document()


def test_the_same_predictions_give_the_same_bytes(make, form):
    ours, *plain = make(form, n=60, folds=1, repeats=1)
    first, again = (json.dumps(judge(ours, plain, QUICK, seed=3).document()) for _ in range(2))
    assert first == again
    assert json.dumps(judge(ours, plain, QUICK, seed=4).document()) != first


def test_a_figure_is_the_mean_over_folds(make):
    ours = make("binary")[0]
    found = judge(ours, [], BARE, seed=1).targets["outcome"]
    answer, samples = ours.answers["outcome"], ours.samples
    sizes, figures = [], []
    for repeat in range(2):
        for fold in range(2):
            here = (samples.part == "test") & (samples.repeat == repeat) & (samples.fold == fold)
            sizes.append(here.sum())
            figures.append(roc_auc_score(answer.truth[here], answer.probabilities[here, 1]))
    assert found.metrics["auroc"].value == pytest.approx(np.average(figures, weights=sizes))
    assert found.metrics["auroc"].low is None


def test_thresholds_come_from_tune_rows_only(ours):
    thresholds = judge(ours, [], BARE, seed=1).targets["outcome"].operating_point.thresholds
    answer, test = ours.answers["outcome"], ours.samples.part == "test"
    other = _with(ours, truth=np.where(test, 1 - answer.truth, answer.truth))
    assert judge(other, [], BARE, seed=1).targets["outcome"].operating_point.thresholds == thresholds
    other = _with(ours, truth=np.where(test, answer.truth, 1 - answer.truth))
    assert judge(other, [], BARE, seed=1).targets["outcome"].operating_point.thresholds != thresholds


def test_the_verdict_is_about_the_plain_model_that_ours_compares_with_least_favourably(make):
    """However it did on tune rows."""
    ours, weak, strong = make("binary")
    tune = strong.samples.part == "tune"
    flipped = np.where(
        tune[:, None], strong.answers["outcome"].probabilities[:, ::-1], strong.answers["outcome"].probabilities
    )
    found = judge(ours, [weak, _with(strong, probabilities=flipped)], QUICK, seed=1).targets["outcome"]
    assert found.baselines["boosting"].metrics["auroc"].value > found.baselines["logistic"].metrics["auroc"].value
    assert found.baseline.name == found.comparison.model == "boosting"
    assert found.comparison.among == 2
    assert found.comparison.difference == found.baselines["boosting"].difference["auroc"]
    turned = judge(strong, [weak, ours], QUICK, seed=1).targets["outcome"]
    assert turned.comparison.outcome == "worse"
    assert turned.verdict.startswith("boosting is worse than polyclinic")


def test_the_margin_is_the_studys(ours):
    twin = replace(ours, model="twin")
    asked = judge(ours, [twin], EvidenceSection(resamples=20, margin=0.01), seed=1)
    assert asked.targets["outcome"].comparison.outcome == "not_worse"
    assert asked.document()["targets"]["outcome"]["comparison"]["margin"] == 0.01


def test_the_difference_of_a_model_from_itself_is_nothing(ours):
    twin = replace(ours, model="twin")
    found = judge(ours, [twin], QUICK, seed=1).targets["outcome"]
    assert all((gap.value, gap.low, gap.high) == (0, 0, 0) for gap in found.baselines["twin"].difference.values())
    assert "cannot be told apart" in found.verdict


def test_a_plain_model_in_another_order_is_put_in_ours(make):
    ours, plain, _ = make("binary", repeats=1)
    shuffled = plain.take(np.random.default_rng(0).permutation(len(plain.samples)))
    first = judge(ours, [plain], QUICK, seed=1).document()
    assert (
        judge(ours, [shuffled], QUICK, seed=1).document()["targets"]["outcome"]["baselines"]
        == (first["targets"]["outcome"]["baselines"])
    )


def test_patients_are_drawn_not_rows(ours):
    """Every sample ten times, of the same patient: no more evidence, so the same interval."""
    one = judge(ours, [], QUICK, seed=1).targets["outcome"].metrics["auroc"]
    ten = ours.take(np.tile(np.arange(len(ours.samples)), 10))
    ten = replace(ten, samples=replace(ten.samples, row=np.arange(1, len(ten.samples) + 1)))
    found = judge(ten, [], QUICK, seed=1).targets["outcome"].metrics["auroc"]
    assert (found.low, found.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert found.n == 10 * one.n


def test_no_resamples_no_intervals(make, form):
    target = judge(make(form, n=80, repeats=1)[0], [], BARE, seed=1).document()["targets"]["outcome"]
    assert all(metric["low"] is metric["high"] is None for metric in target["metrics"].values())
    assert target["verdict"] == "No plain model was judged beside this one."
    assert not {"baseline", "comparison"} & set(target)


def test_one_class_only_gives_null_not_nonsense(ours):
    zero = np.zeros(len(ours.samples))
    target = judge(_with(ours, truth=zero), [], QUICK, seed=1).document()["targets"]["outcome"]
    assert target["metrics"]["auroc"] == {"value": None, "low": None, "high": None, "n": target["counts"]["rows"]}
    assert target["degenerate"]["auroc"] == 20
    assert target["operating_point"]["rule"].startswith("one half")
    assert target["metrics"]["specificity"]["value"] is not None
    json.dumps(target, allow_nan=False)


def test_rows_without_a_truth_are_not_judged(ours):
    truth = ours.answers["outcome"].truth.copy()
    test = np.flatnonzero(ours.samples.part == "test")
    truth[test[:7]] = np.nan
    found = judge(_with(ours, truth=truth), [], BARE, seed=1).targets["outcome"]
    assert found.counts.rows == len(test) - 7


def test_worst_mistakes_are_row_numbers_and_words(ours):
    worst = judge(ours, [], BARE, seed=1).document()["targets"]["outcome"]["worst"]
    losses = [mistake["loss"] for mistake in worst]
    assert losses == sorted(losses, reverse=True)
    assert set(worst[0]) == {"row", "truth", "answer", "loss", "chance"}
    assert worst[0]["chance"] == pytest.approx(1 - np.exp(-worst[0]["loss"]))
    assert worst[0]["truth"] != worst[0]["answer"]
    answer = ours.answers["outcome"]
    test = ours.samples.part == "test"
    given = answer.probabilities[np.arange(len(answer.truth)), answer.truth.astype(int)]
    assert worst[0]["row"] == ours.samples.row[test][np.argmin(given[test])]


def test_calibration_before_and_after(evidence):
    calibration = evidence["binary"].targets["outcome"].calibration
    # the example's raw chances are twice too extreme, the calibrated ones nearly right
    assert calibration.before["calibration_slope"].value == pytest.approx(
        calibration.after["calibration_slope"].value / 2, rel=0.01
    )
    assert calibration.after["log_loss"].value < calibration.before["log_loss"].value


def test_survival_shows_thirds_and_a_log_rank_test(evidence):
    curves = evidence["survival"].document()["targets"]["outcome"]["curves"]
    assert [curve["group"] for curve in curves["kaplan_meier"]] == ["low risk", "middle risk", "high risk"]
    assert curves["log_rank"]["p_value"] < 0.001
    for curve in curves["kaplan_meier"]:
        assert len({len(curve[key]) for key in ("times", "survival", "low", "high", "at_risk")}) == 1
        assert (curve["times"][0], curve["survival"][0]) == (0, 1)
    assert len(curves["auc_over_time"]["times"]) == 15


def test_risks_without_curves_have_no_brier_score(make):
    ours = make("survival", repeats=1)[0]
    nothing = np.zeros((len(ours.samples), 0))
    target = judge(_with(ours, times=nothing, survival=nothing), [], QUICK, seed=1).document()["targets"]["outcome"]
    assert target["metrics"]["integrated_brier_score"]["value"] is None
    assert target["metrics"]["concordance_index"]["value"] is not None
    assert target["calibration"]["curve"] == target["worst"] == []


def test_a_confusion_counts_each_row_once(make):
    for form in ("binary", "multiclass"):
        target = judge(make(form, n=60, repeats=1)[0], [], BARE, seed=1).targets["outcome"]
        assert sum(map(sum, target.confusion)) == target.counts.rows


def _spoilt(name, position, value):
    def spoil(predictions):
        array = getattr(predictions.answers["outcome"], name).copy()
        array[position] = value
        return _with(predictions, **{name: array})

    return spoil


@pytest.mark.parametrize(
    ("form", "spoil", "name"),
    [
        ("binary", _spoilt("probabilities", (0, 1), 1.5), "impossible_probability"),
        ("binary", _spoilt("probabilities", (0, 1), np.nan), "impossible_probability"),
        ("multiclass", _spoilt("probabilities", (0, slice(None)), 0.9), "probability_sum"),
        ("multilabel", _spoilt("probabilities", (0, 1), -0.1), "impossible_probability"),
        ("value", _spoilt("value", 0, np.inf), "not_finite"),
        ("survival", _spoilt("risk", 0, np.nan), "not_finite"),
        ("survival", _spoilt("event", 0, 2.0), "impossible_event"),
        ("survival", _spoilt("time", 0, 0.0), "impossible_time"),
        ("survival", _spoilt("survival", (0, -1), 1.0), "impossible_survival"),
        ("survival", _spoilt("survival", (0, 0), 1.5), "impossible_survival"),
    ],
)
def test_impossible_answers_are_refused_by_row(make, form, spoil, name):
    ours = make(form, n=60, repeats=1)[0]
    ours = ours.take(np.flatnonzero(ours.samples.part == "test"))
    with pytest.raises(EvidenceError) as caught:
        judge(spoil(ours), [], BARE, seed=1)
    assert name in [finding.name for finding in caught.value.findings]
    assert caught.value.findings[0].rows == (int(ours.samples.row[0]),)


def test_nothing_to_judge_is_refused(ours):
    with pytest.raises(EvidenceError, match="there are none"):
        judge(ours.part("tune"), [], BARE, seed=1)


def test_a_plain_model_of_other_rows_is_refused(make):
    ours, plain, _ = make("binary", repeats=1)
    with pytest.raises(EvidenceError, match="the test rows differ"):
        judge(ours, [plain.take(np.arange(len(plain.samples) - 200))], BARE, seed=1)


def test_a_form_that_nobody_judges_is_refused():
    class Odd(ClassAnswer):
        form = "odd"

    with pytest.raises(StudyError, match='no form of answer that can be judged "odd"'):
        judge_of(Odd(("a", "b"), *[np.zeros((0, 2))] * 2, np.zeros(0)))


def test_an_answer_of_a_plug_in_that_is_one_of_ours_is_judged_like_it():
    class Graded(ClassAnswer):
        pass

    graded = Graded(("a", "b"), *[np.zeros((0, 2))] * 2, np.zeros(0))
    assert judge_of(graded).word == "binary"


def test_subgroups_are_judged_by_themselves(make):
    ours = make("value", repeats=1)[0]
    found = judge(ours, [], BARE, seed=1).targets["outcome"]
    [women] = [group for group in found.subgroups if (group.column, group.value) == ("sex", "f")]
    only = judge(ours.take(np.flatnonzero(ours.samples.strata["sex"] == "f")), [], BARE, seed=1)
    assert women.metrics["rmse"].value == pytest.approx(only.targets["outcome"].metrics["rmse"].value)
    assert women.n == women.metrics["rmse"].n == only.targets["outcome"].counts.rows


def test_the_best_the_middle_and_the_worst_case(make):
    ours = make("value", n=60, folds=1, repeats=1)[0]
    found = judge(ours, [], BARE, seed=1).targets["outcome"]
    test = ours.part("test")
    loss = np.abs(test.answers["outcome"].value - test.answers["outcome"].truth)
    assert found.cases.best.loss == pytest.approx(loss.min())
    assert found.cases.worst == found.worst[0]
    assert found.cases.median.loss == pytest.approx(np.sort(loss)[(len(loss) - 1) // 2])


def test_rows_with_nothing_to_see_are_passed_over(make, monkeypatch):
    ours = make("value", n=60, folds=1, repeats=1)[0]
    form, plain = ValueJudge, ValueJudge.show
    nothing = lambda self, case: replace(plain(self, case), empty=np.abs(case.value - case.truth) < 0.3)  # noqa: E731
    monkeypatch.setattr(form, "show", nothing)
    assert judge(ours, [], BARE, seed=1).targets["outcome"].cases.best.loss >= 0.3
    all_empty = lambda self, case: replace(plain(self, case), empty=np.ones(len(case.value), dtype=bool))  # noqa: E731
    monkeypatch.setattr(form, "show", all_empty)
    assert judge(ours, [], BARE, seed=1).targets["outcome"].cases.best.loss < 0.3


def test_what_is_drawn_of_ours_is_kept_of_plain_models_as_lines(make):
    ours, logistic, *_ = make("binary")
    target = judge(ours, [logistic], EvidenceSection(resamples=20), 1).targets["outcome"]
    alone = judge(logistic, [], EvidenceSection(resamples=0), 1).targets["outcome"]
    kept = target.baselines[logistic.model]
    assert set(kept.curves) == {"roc", "precision_recall"}
    for name, curve in kept.curves.items():
        assert (curve.low, curve.high) == ((), ())
        np.testing.assert_allclose(curve.y, alone.curve(name).y, atol=5.1e-5)
    predicted = [point.predicted for point in alone.calibration.curve]
    np.testing.assert_allclose([point.predicted for point in kept.calibration], predicted, atol=5.1e-5)
    assert len(json.dumps(plain(kept.curves) | {"calibration": plain(kept.calibration)})) < 7_000


def test_thirds_by_risk_add_up_to_the_patients_with_an_event(make):
    target = judge(make("survival")[0], [], EvidenceSection(resamples=40), 1).targets["outcome"]
    found = target.shape_of("events_by_time", EventsByTime)
    assert sum(third.value for third in found.thirds) == pytest.approx(found.everyone.value)
    assert found.thirds[2].value > 1.5 * found.thirds[0].value
    assert found.thirds[2].low < found.thirds[2].value < found.thirds[2].high
    assert (
        Evidence.read(Evidence(targets={"outcome": target}).document())
        .targets["outcome"]
        .shape_of("events_by_time", EventsByTime)
    )


def test_events_are_counted_at_the_latest_named_time_that_enough_are_followed_to(make):
    def found(**changes):
        target = judge(_with(make("survival")[0], **changes), [], BARE, 1).targets["outcome"]
        return target.shape_of("events_by_time", EventsByTime), target.calibration.horizon

    named, _ = found(horizons=(30.0, 200.0, 1e6))
    assert (named.time, named.name) == (200.0, "200 days")
    unnamed, horizon = found(unit="")
    assert (unnamed.time, unnamed.name) == (horizon, "")
