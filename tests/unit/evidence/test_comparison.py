import json
from dataclasses import replace

import numpy as np
import pytest

from polyclinic.errors import EvidenceError
from polyclinic.evidence.comparison import compare
from polyclinic.evidence.judge import judge
from polyclinic.study.schema import EvidenceSection

QUICK = EvidenceSection(resamples=30)


def _with(predictions, **changes):
    return replace(predictions, answers={"outcome": replace(predictions.answers["outcome"], **changes)})


def test_runs_stand_side_by_side_and_the_first_is_the_measure(make, form):
    good, bad, _ = make(form, repeats=1)
    found = compare({"runs/bad": bad, "runs/good": good}, QUICK, seed=1)
    target = found.document()["targets"]["outcome"]
    assert list(target["runs"]) == ["runs/bad", "runs/good"]
    assert target["runs"]["runs/bad"]["difference"] == {}
    assert "runs/good is better than runs/bad" in target["runs"]["runs/good"]["verdict"]
    assert target["runs"]["runs/good"]["comparison"]["outcome"] == "better"
    assert target["runs"]["runs/bad"]["comparison"] is None
    judged = judge(good, [bad], QUICK, seed=1).document()["targets"]["outcome"]
    assert target["runs"]["runs/good"]["metrics"] == judged["metrics"]
    assert target["runs"]["runs/good"]["difference"] == judged["baselines"]["logistic"]["difference"]
    json.dumps(found.document(), allow_nan=False)


def test_other_folds_over_the_same_rows_may_be_compared(make):
    one = make("binary", repeats=1)[0]
    test = one.take(np.flatnonzero(one.samples.part == "test"))
    moved = replace(test, samples=replace(test.samples, fold=np.zeros(len(test.samples), dtype=int)))
    shuffled = moved.take(np.random.default_rng(0).permutation(len(moved.samples)))
    found = compare({"a": test, "b": shuffled}, QUICK, seed=1).targets["outcome"]
    assert found.runs["b"].difference["brier_score"].value == pytest.approx(0, abs=1e-12)
    assert found.runs["b"].difference["auroc"].value != 0


def test_other_rows_are_refused_and_named(make):
    one, two, _ = make("binary", repeats=1)
    gone = np.flatnonzero(two.samples.part == "test")[0]
    with pytest.raises(EvidenceError, match="the test rows differ") as caught:
        compare({"a": one, "b": two.take(np.delete(np.arange(len(two.samples)), gone))}, QUICK, seed=1)
    assert caught.value.findings[0].rows == (int(two.samples.row[gone]),)


def test_another_number_of_repetitions_is_refused(make):
    two = make("binary", repeats=2)[0]
    one = two.take(np.flatnonzero(two.samples.repeat == 0))
    rows = np.isin(two.samples.row, one.samples.row[one.samples.part == "test"]) | (two.samples.part == "tune")
    with pytest.raises(EvidenceError, match="differ"):
        compare({"a": one, "b": two.take(np.flatnonzero(rows))}, QUICK, seed=1)


def test_another_truth_is_refused_by_row(make, form):
    one = make(form, repeats=1)[0]
    name = "time" if form == "survival" else "truth"
    truth = getattr(one.answers["outcome"], name).copy()
    place = np.flatnonzero(one.samples.part == "test")[3]
    truth[place] = 0.0 if np.any(truth[place] == 1) else 1.0
    with pytest.raises(EvidenceError, match="compared only") as caught:
        compare({"a": one, "b": _with(one, **{name: truth})}, QUICK, seed=1)
    assert caught.value.findings[0].rows == (int(one.samples.row[place]),)


def test_another_form_is_refused(make):
    one, two = make("binary", repeats=1)[0], make("value", repeats=1)[0]
    with pytest.raises(EvidenceError, match="forms of answer differ"):
        compare({"a": one, "b": two}, QUICK, seed=1)


def test_one_run_or_no_shared_question_is_refused(make):
    one = make("binary", repeats=1)[0]
    with pytest.raises(EvidenceError, match="two runs"):
        compare({"a": one}, QUICK, seed=1)
    with pytest.raises(EvidenceError, match="one question in common"):
        compare({"a": one, "b": replace(one, answers={"other": one.answers["outcome"]})}, QUICK, seed=1)
