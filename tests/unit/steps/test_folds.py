"""All folds: each once, each kept by itself, the cap shared, findings handed on."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

import polyclinic
from polyclinic.baselines.plain import PlainAnswers
from polyclinic.delivery.bundle import discard, open_work
from polyclinic.errors import Finding, Severity
from polyclinic.predictions.record import Predictions
from polyclinic.steps import folds as folds_module
from polyclinic.steps.folds import run_folds
from polyclinic.training.progress import QUIET


@pytest.fixture
def work(tmp_path):
    with open_work(tmp_path / "run", {}, resume=False) as work:
        yield work
        discard(work)


def same(one: Predictions, other: Predictions) -> bool:
    chances = (answers.answers["sick"].probabilities for answers in (one, other))
    return np.array_equal(one.samples.row, other.samples.row) and np.array_equal(*chances)


def test_every_row_is_tested_once_and_every_fit_is_kept(divided, work):
    found = run_folds(divided.assembled, divided.split, work, QUIET)
    tested = found.ours.part("test").samples.row
    assert sorted(tested) == sorted(divided.assembled.cohort.row)
    assert set(found.plans) == {"0-0-0", "0-0-1", "0-1-0", "0-1-1"}
    weights = [load_file(work.results / "model" / name / "weights.safetensors") for name in found.plans]
    firsts = [next(iter(one.values())).tobytes() for one in weights]
    assert len(set(firsts)) == 4


def test_a_killed_run_goes_on_with_the_fold_that_is_missing(divided, work, monkeypatch):
    """The second fold fails once; the first one is then read back, not run again, and nothing differs."""
    ran, run_fold = [], folds_module.run_fold

    def fail_in_second(assembled, fold, plan, progress):
        ran.append(fold.number)
        if ran == [0, 1]:
            raise KeyboardInterrupt
        return run_fold(assembled, fold, plan, progress)

    monkeypatch.setattr(folds_module, "run_fold", fail_in_second)
    with pytest.raises(KeyboardInterrupt):
        run_folds(divided.assembled, divided.split, work, QUIET)
    resumed = run_folds(divided.assembled, divided.split, work, QUIET)
    assert ran == [0, 1, 1]
    again = run_folds(divided.assembled, divided.split, work, QUIET)
    assert ran == [0, 1, 1], "all folds were done"
    assert same(resumed.ours, again.ours)
    tested = resumed.ours.part("test").samples
    for fold in divided.split.folds:
        rows = tested.row[tested.fold == fold.number]
        assert sorted(rows) == sorted(divided.assembled.cohort.row[fold.test.index])


def test_minutes_are_shared_among_the_fits_that_are_left(divided_of, work, monkeypatch):
    capped = divided_of(training={"epochs": 1, "minutes": 4})
    plans, run_fold = [], folds_module.run_fold

    def look(assembled, fold, plan, progress):
        plans.append(plan)
        return run_fold(assembled, fold, plan, progress)

    monkeypatch.setattr(folds_module, "run_fold", look)
    run_folds(capped.assembled, capped.split, work, QUIET)
    assert plans[0].cap_s == 60, "four fits in four minutes"
    assert plans[1].cap_s is not None
    assert 100 < plans[1].cap_s <= 120, "what the first fold left is shared by the two fits of the second"
    assert [plan.first for plan in plans] == [0, 2]


def test_plain_models_come_first_and_take_a_fifth_of_the_cap_at_most(divided_of, work, monkeypatch):
    """Those of later folds are taken to need as long; what goes beyond the share is said, not taken from ours."""
    capped, caps = divided_of(training={"epochs": 1, "minutes": 4}), []
    run_fold = folds_module.run_fold

    def look(assembled, fold, plan, progress):
        caps.append(plan.cap_s)
        return run_fold(assembled, fold, plan, progress)

    monkeypatch.setattr(folds_module, "run_fold", look)
    for plain_s, shares in ((10.0, (240 - 20) / 4), (30.0, (240 - 48) / 4)):
        monkeypatch.setattr(folds_module, "_answer_plainly", lambda *_, s=plain_s: (PlainAnswers((), ()), s))
        found = run_folds(capped.assembled, capped.split, work, QUIET)
        assert caps[0] == shares
        assert shares < caps[1] <= 2 * shares
        assert [one.name for one in found.overrun] == ([] if plain_s == 10 else ["plain_models_overran"])
        assert found.spent_s > 2 * plain_s
        again = run_folds(capped.assembled, capped.split, work, QUIET)
        assert again.spent_s == pytest.approx(found.spent_s), "seconds are kept with each fold"
        caps.clear()
        for path in work.scratch.glob("fold-*"):
            path.unlink()


def test_a_cap_that_is_too_short_is_said_first(divided_of, work, monkeypatch):
    """Whether it shortened the schedule, or broke it off."""
    capped = divided_of(training={"epochs": 9, "minutes": 4})
    run_fold = folds_module.run_fold

    def hasten(assembled, fold, plan, progress):
        replanned = plan.training.model_copy(update={"replanned": ((), (9, 2), (9, 9), (7, 7)), "stop_after": (2,) * 4})
        return run_fold(assembled, fold, replace(plan, training=replanned), progress)

    monkeypatch.setattr(folds_module, "run_fold", hasten)
    found = run_folds(capped.assembled, capped.split, work, QUIET)
    assert found.findings[0].name == "cap_shortens"
    assert "of 9 planned epochs it has time for 2, in 4 of 4 fits" in found.findings[0].found
    records = [plan.record for plan in found.plans.values()]
    assert [record.replanned for record in records] == [(), (9, 2), (), (7, 7)]
    assert [record.ended for record in records] == ["cap", "schedule", "cap", "cap"]


def test_what_is_found_while_training_is_handed_on(tmp_path, monkeypatch):
    """From the fit to the caller and to the bundle, and from the folder of an interrupted run."""
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))
    settings = {
        "training": {"epochs": 1, "imbalance": "weight"},
        "model": {"size": "tiny"},
        "evidence": {"resamples": 0, "baselines": False},
    }
    made = polyclinic.example_cohort(
        tmp_path, {"labs": "tabular"}, {"level": "regress"}, patients=40, settings=settings
    )
    done = polyclinic.run(made.study, tmp_path / "run")
    [found] = [finding for finding in done.findings if finding.name == "nothing_to_balance"]
    assert found.severity is Severity.WARNING
    assert "nothing_to_balance" in (tmp_path / "run" / "cohort.json").read_text(encoding="utf-8")


def test_findings_of_a_fold_are_kept_with_it(divided, work, monkeypatch):
    note = Finding("odd", "here", "a rule", "a find", "a remedy", Severity.WARNING, (3, 4))
    run_fold = folds_module.run_fold

    def doubtful(assembled, fold, plan, progress):
        answers, members = run_fold(assembled, fold, plan, progress)
        object.__setattr__(members[0].fitted, "findings", (note,))
        return answers, members

    monkeypatch.setattr(folds_module, "run_fold", doubtful)
    first = run_folds(divided.assembled, divided.split, work, QUIET)
    again = run_folds(divided.assembled, divided.split, work, QUIET)
    assert first.findings == again.findings == (note,)


def test_a_plan_says_which_columns_and_kinds_it_needs(divided, work):
    found = run_folds(divided.assembled, divided.split, work, QUIET)
    plan = found.plans["0-1-0"]
    assert plan.inputs["labs"].kind == "tabular"
    assert {name: one.kind for name, one in plan.heads.items()} == {"sick": "classify", "level": "regress"}
    assert set(plan.columns["labs"]) <= set(divided.table.columns)
    assert plan.record.done == len(plan.record.history) == 2
    assert isinstance(divided.table, pl.DataFrame)
