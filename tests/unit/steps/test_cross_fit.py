"""Cross-fitting: who answers for whom, who learns from whom, for how long, and what is recorded to repeat it."""

from dataclasses import replace

import numpy as np
import pytest

from polyclinic.cohort.rows import TestRows
from polyclinic.errors import StudyError
from polyclinic.evidence.shift import shift_score
from polyclinic.steps import cross_fit
from polyclinic.steps.cross_fit import cross_fit_parts, run_cross_fitted
from polyclinic.steps.fold import run_fold
from polyclinic.training.ensemble import RowOutputs
from polyclinic.training.epochs.tune_history import best_common_epoch
from polyclinic.training.progress import QUIET


@pytest.fixture(scope="module")
def crossed(divided_of):
    return divided_of(model={"ensemble": 1}, training={"epochs": 4, "cross_fit": 3})


@pytest.fixture(scope="module")
def ran(crossed, tmp_path_factory):
    fold = crossed.fold()
    assembled = crossed.assembled
    fitted = replace(assembled, questions={n: q.fit(fold.members[0].train) for n, q in assembled.questions.items()})
    plan = crossed.plan(tmp_path_factory.mktemp("crossed"))
    return fitted, plan, run_cross_fitted(fitted, fold, plan, QUIET)


def test_a_fold_is_divided_by_patient_into_parts_left_out_in_turn(crossed):
    fold, cohort = crossed.fold(), crossed.assembled.cohort
    everybody = sorted({*range(len(cohort))} - {*fold.test.index.tolist()})
    assert len(fold.crossed) == 3
    assert fold.fits == 4
    assert fold.members[0].train.index.tolist() == everybody
    assert len(fold.members[0].tune) == 0
    assert sorted(np.concatenate([part.tune.index for part in fold.crossed])) == everybody
    for part in fold.crossed:
        assert not set(cohort.patient[part.train.index]) & set(cohort.patient[part.tune.index])


def test_each_row_is_answered_by_the_network_that_left_it_out(crossed, ran):
    _, _, (members, outputs) = ran
    epochs = members[0].fitted.done
    for rows, asked, fitted in zip(crossed.fold().crossed, outputs.tune, members[0].crossed, strict=True):
        np.testing.assert_array_equal(asked.rows, rows.tune.index)
        np.testing.assert_array_equal(asked.fits[0].by_target["sick"], fitted.tune.outputs["sick"][epochs - 1])
        assert fitted.tune.outputs["sick"].shape[1] == len(rows.tune)


def test_the_member_learns_from_all_for_the_epochs_that_were_found(crossed, ran):
    _, _, (members, _) = ran
    [member] = members
    found = best_common_epoch([fitted.tune for fitted in member.crossed])
    assert member.fitted.done == member.fitted.best == found
    assert member.fitted.planned == 4
    assert member.fitted.ended == "found"
    first = member.fitted.history[0]
    losses = np.concatenate([fitted.tune.losses[0] for fitted in member.crossed])
    assert first.tune_loss == pytest.approx(losses.mean())


def test_strangers_among_the_test_rows_lie_as_far_as_those_left_out(crossed, ran):
    """The scale of the distance comes from rows that were left out, as with tune rows it comes from these."""
    _, _, (members, outputs) = ran
    left_out = np.concatenate([one.shift for one in outputs.tune])
    assert np.quantile(left_out, 0.9) <= 1.0
    assert np.median(outputs.test.shift) == pytest.approx(np.median(left_out), rel=0.5)
    assert len(outputs.test.shift) == len(crossed.fold().test)
    far = np.full((1, len(members[0].shift.mean)), 1e3)
    assert shift_score(members[0].shift, far)[0] > 1


def test_the_same_seed_gives_the_same_answers_also_where_a_run_went_on(crossed, ran, tmp_path):
    fitted, plan, (_, outputs) = ran
    again = run_cross_fitted(fitted, crossed.fold(), plan, QUIET)[1]
    anew = run_cross_fitted(fitted, crossed.fold(), replace(plan, scratch=tmp_path), QUIET)[1]
    for other in (again, anew):
        for one, two in zip((*outputs.tune, outputs.test), (*other.tune, other.test), strict=True):
            np.testing.assert_array_equal(one.fits[0].by_target["sick"], two.fits[0].by_target["sick"])
            np.testing.assert_array_equal(one.shift, two.shift)


def test_answers_of_a_fold_name_their_rows(crossed, tmp_path):
    answers, _ = run_fold(crossed.assembled, crossed.fold(), crossed.plan(tmp_path), QUIET)
    lines = answers.samples.row - 1
    sick = (crossed.table["sick"] == "yes").gather(lines).to_numpy()
    np.testing.assert_array_equal(answers.answers["sick"].truth, sick)
    rows = crossed.assembled.cohort.row
    tune = answers.part("tune").samples.row
    assert sorted(tune) == sorted(rows[crossed.fold().members[0].train.index]), "each once"


def test_members_answer_together_for_those_left_out(divided_of, tmp_path):
    """With several members each part is left out by as many networks as answer for the test rows."""
    several = divided_of(model={"ensemble": 2}, training={"epochs": 1, "cross_fit": 2})
    fold, assembled = several.fold(), several.assembled
    fitted = replace(assembled, questions={n: q.fit(fold.members[0].train) for n, q in assembled.questions.items()})
    members, outputs = run_cross_fitted(fitted, fold, several.plan(tmp_path), QUIET)
    assert fold.fits == 6
    assert [len(one.fits) for one in (*outputs.tune, outputs.test)] == [2, 2, 2]
    assert not outputs.averages_more
    assert [len(member.crossed) for member in members] == [4, 0]
    first, second = (fit.by_target["sick"] for fit in outputs.tune[0].fits)
    assert not np.array_equal(first, second), "each has a seed of its own"


def test_small_tables_are_cross_fitted_and_others_are_not(divided_of, monkeypatch):
    assert cross_fit_parts(divided_of(model={"ensemble": 1}).assembled) == 5
    assert cross_fit_parts(divided_of().assembled) == 0, "several members have tune rows of their own"
    assert cross_fit_parts(divided_of(model={"ensemble": 1}, training={"cross_fit": 0}).assembled) == 0
    monkeypatch.setattr(cross_fit, "_MOST_ROWS", 30)
    assert cross_fit_parts(divided_of(model={"ensemble": 1}).assembled) == 0


def test_questions_about_places_are_refused(divided, monkeypatch):
    asked = divided.assembled.study.training.model_copy(update={"cross_fit": 3})
    study = divided.assembled.study.model_copy(update={"training": asked})
    assembled = replace(divided.assembled, study=study)
    assert cross_fit_parts(assembled) == 3
    monkeypatch.setattr(cross_fit, "Global", RowOutputs)
    with pytest.raises(StudyError, match="places"):
        cross_fit_parts(assembled)


def test_a_network_that_kept_no_answers_is_refused(crossed, ran, tmp_path, monkeypatch):
    fitted, plan, _ = ran
    monkeypatch.setattr("polyclinic.training.epochs.loop.small_enough", lambda rows, epochs: False)
    with pytest.raises(StudyError, match="cross_fit = 0"):
        run_cross_fitted(fitted, crossed.fold(), replace(plan, scratch=tmp_path), QUIET)


def test_test_rows_never_reach_the_networks(crossed, ran):
    """Other outcomes of the test rows change nothing that is learned or chosen."""
    fitted, plan, (members, _) = ran
    fold = crossed.fold()
    question = fitted.questions["sick"]
    truth = question.target.truth.copy()
    truth[fold.test.index] = 1 - truth[fold.test.index]
    poisoned = replace(question, target=replace(question.target, truth=truth))
    assembled = replace(fitted, questions={**fitted.questions, "sick": poisoned})
    again, _ = run_cross_fitted(assembled, fold, replace(plan, scratch=None), QUIET)
    assert again[0].fitted.done == members[0].fitted.done
    for name, weight in members[0].fitted.model.state_dict().items():
        np.testing.assert_array_equal(weight.numpy(), again[0].fitted.model.state_dict()[name].numpy())
    assert isinstance(fold.test, TestRows)
