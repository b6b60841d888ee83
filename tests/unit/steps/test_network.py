"""One network of a fold: what is kept of its answers, and how the time of a fold is shared."""

from dataclasses import replace

import numpy as np
import pytest

from polyclinic.cohort.rows import Inner
from polyclinic.steps.network import fit_name, run_member
from polyclinic.training.epochs.tune_history import TuneHistory
from polyclinic.training.progress import QUIET


@pytest.fixture(scope="module")
def ran(divided, tmp_path_factory):
    fold, assembled = divided.fold(), divided.assembled
    fitted = replace(assembled, questions={n: q.fit(fold.members[0].train) for n, q in assembled.questions.items()})
    return run_member(fitted, fold, 1, divided.plan(tmp_path_factory.mktemp("network"), epochs=6), QUIET)


def test_each_tune_row_is_answered_by_one_of_the_epochs(divided, ran):
    rows: Inner = divided.fold().members[1]
    history: TuneHistory = ran.member.fitted.tune
    assert len(history) == 6
    fair = history.crossed(np.unique(divided.assembled.cohort.patient[rows.tune.index], return_inverse=True)[1], 0)
    said = ran.tune.fits[0].by_target["sick"]
    assert said.shape == fair["sick"].shape
    for row in range(len(rows.tune)):
        assert any(np.array_equal(said[row], history.outputs["sick"][epoch, row]) for epoch in range(6))
    np.testing.assert_array_equal(ran.tune.rows, rows.tune.index)
    np.testing.assert_array_equal(ran.test.rows, divided.fold().test.index)


def test_answers_are_crossed_and_not_those_of_the_kept_weights(divided, monkeypatch, tmp_path):
    fold, assembled = divided.fold(), divided.assembled
    fitted = replace(assembled, questions={n: q.fit(fold.members[0].train) for n, q in assembled.questions.items()})
    given = []

    def crossed(self, patient, seed):
        given.append(patient)
        return {"sick": np.full_like(self.outputs["sick"][-1], 7.0)}

    monkeypatch.setattr(TuneHistory, "crossed", crossed)
    run = run_member(fitted, fold, 0, divided.plan(tmp_path, epochs=1), QUIET)
    assert set(run.tune.fits[0].by_target["sick"].ravel()) == {7.0}
    assert 7.0 not in run.test.fits[0].by_target["sick"]
    [patient] = given
    names = assembled.cohort.patient[fold.members[0].tune.index]
    assert len(np.unique(patient)) == len(np.unique(names))


def test_what_a_fit_leaves_of_its_time_is_shared_by_the_later_ones(divided, tmp_path):
    plan = replace(divided.plan(tmp_path), cap_s=10.0)
    assert plan.with_what_was_left(4, 0, 0.0).cap_s == 10.0
    assert plan.with_what_was_left(4, 2, 10.0).cap_s == 15.0
    assert plan.with_what_was_left(2, 1, 30.0).cap_s == 0.0
    assert divided.plan(tmp_path).with_what_was_left(4, 2, 10.0).cap_s is None


def test_a_fit_is_named_by_repetition_fold_and_member(divided):
    assert fit_name(divided.fold(1), 1) == "0-1-1"
