"""Several fits as one: whose rows calibrate, whose answers are averaged, and whose truth stands beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.rows import Fold, Inner, TestRows, TrainRows, TuneRows
from polyclinic.cohort.table import Cohort, Fingerprints
from polyclinic.decoding.recalibration import AVERAGED
from polyclinic.heads.base import Question
from polyclinic.heads.classify import Classify
from polyclinic.training.ensemble import (
    Correcting,
    FoldOutputs,
    RowOutputs,
    average_fold,
    calibrate_fold,
    same_tune_rows,
)
from polyclinic.training.outputs import Outputs

ROWS = 60
TEST = np.array([3, 8, 20, 41, 50, 51])
TUNES = (np.arange(30, 40), np.arange(40, 50))
RNG = np.random.default_rng(4)
SICK = RNG.integers(0, 2, ROWS)


@pytest.fixture
def questions(bench) -> dict[str, Question]:
    """A yes-or-no question with sixty known outcomes."""
    head = Classify("sick", Classify.Options(column="sick", positive="yes"))
    outcome = pl.DataFrame({"sick": [("no", "yes")[value] for value in SICK]})
    question = Question(head, head.read_target(outcome, "cohort.csv"))
    return {"sick": question.fit(TrainRows(np.arange(30)))}


COHORT = Cohort(
    frame=pl.DataFrame(),
    dates=None,
    folder=Path(),
    name="cohort.csv",
    flow=(),
    findings=(),
    fingerprints=Fingerprints({}, ""),
    row=np.arange(ROWS) * 2 + 1,
    patient=np.array([f"P{number}" for number in range(ROWS)]),
    site=np.array([f"S{number % 7}" for number in range(ROWS)]),
    strata={"sex": np.array([f"X{number % 5}" for number in range(ROWS)])},
)


def fold(*tunes: np.ndarray) -> Fold:
    inner = tuple(Inner(TrainRows(np.arange(30)), TuneRows(tune)) for tune in tunes)
    return Fold(1, 2, inner, TestRows(TEST))


def outputs(rows: np.ndarray, of_row) -> Outputs:
    """One number for each row, such that the answer tells which row it is about."""
    numbers = np.array([of_row(row) for row in rows], dtype=np.float32).reshape(-1, 1, 1)
    return Outputs(rows, {"sick": numbers}, np.zeros((len(rows), 2), dtype=np.float32))


def member(tune: np.ndarray, add: float = 0.0) -> tuple[RowOutputs, RowOutputs]:
    """About its tune rows and about the test rows."""

    def of_row(row: int) -> float:
        return 0.05 * row + add

    shift = 1 + add
    about_tune = RowOutputs((outputs(tune, of_row),), np.full(len(tune), shift))
    return about_tune, RowOutputs((outputs(TEST, of_row),), np.full(len(TEST), shift + 1))


def together(division: Fold, *members: tuple[RowOutputs, RowOutputs]) -> FoldOutputs:
    return FoldOutputs.of_members(division, [tune for tune, _ in members], [test for _, test in members])


def average(division: Fold, questions, *members, cohort=None):
    return average_fold("ours", cohort or COHORT, division, questions, together(division, *members))


SCALED = Correcting("temperature", reweighted=False)
ANYWAY = Correcting("auto", reweighted=True)
AUTO = Correcting("auto", reweighted=False)


def chance(row: np.ndarray, add: float = 0.0) -> np.ndarray:
    return 1 / (1 + np.exp(-(0.05 * row + add)))


def asked_to_calibrate(monkeypatch, questions, outputs, correcting):
    """What a head is given to learn its correction from."""
    seen = []

    def calibrate(head, found, target, method, patient):
        seen.append((found, target, method, patient))
        return head

    monkeypatch.setattr(Classify, "calibrate", calibrate)
    calibrate_fold(questions, outputs, correcting, np.arange(ROWS) // 2)
    [given] = seen
    return given


def test_calibration_sees_the_tune_rows_of_all_members_and_nothing_else(questions, monkeypatch):
    outputs = together(fold(*TUNES), member(TUNES[0]), member(TUNES[1], 0.3))
    found, target, method, patient = asked_to_calibrate(monkeypatch, questions, outputs, SCALED)
    rows = np.concatenate(TUNES)
    np.testing.assert_allclose(found.ravel(), 0.05 * rows + np.repeat([0.0, 0.3], 10), rtol=1e-6)
    assert len(target.known) == len(rows)
    truth = questions["sick"].take(rows).decode(np.zeros((len(rows), 1, 1), np.float32)).truth
    np.testing.assert_array_equal(truth, SICK[rows])
    np.testing.assert_array_equal(patient, rows // 2)
    assert method == "temperature"


def test_the_mean_of_networks_is_not_corrected_by_what_single_ones_ask_for(questions, monkeypatch):
    """Each member has tune rows of its own, but all answer for the test rows: the mean is less sure than each."""
    apart = together(fold(*TUNES), member(TUNES[0]), member(TUNES[1], 0.3))
    assert asked_to_calibrate(monkeypatch, questions, apart, AUTO)[2] == AVERAGED
    assert asked_to_calibrate(monkeypatch, questions, apart, SCALED)[2] == "temperature", "the study insists"
    assert asked_to_calibrate(monkeypatch, questions, apart, ANYWAY)[2] == "auto", "resampling moved all chances"
    alone = together(fold(TUNES[0]), member(TUNES[0]))
    assert asked_to_calibrate(monkeypatch, questions, alone, AUTO)[2] == "auto"


def test_members_with_the_same_tune_rows_are_corrected_as_the_mean_that_they_are(questions, monkeypatch):
    shared = together(fold(TUNES[0], TUNES[0]), member(TUNES[0]), member(TUNES[0], 0.5))
    found, _, method, _ = asked_to_calibrate(monkeypatch, questions, shared, AUTO)
    assert method == "auto"
    assert found.shape == (10, 2, 1)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], 0.5, rtol=1e-5)


def test_outcomes_of_all_rows_stay_with_a_calibrated_question(questions):
    division = fold(TUNES[0])
    calibrated = calibrate_fold(questions, together(division, member(TUNES[0])), SCALED, np.arange(ROWS))
    assert calibrated["sick"].target is questions["sick"].target
    assert calibrated["sick"].head.plan != questions["sick"].head.plan


def test_members_average_on_test_rows_and_answer_alone_for_their_tune_rows(questions):
    found = average(fold(*TUNES), questions, member(TUNES[0]), member(TUNES[1], 0.5))
    tune, test = found.part("tune"), found.part("test")
    chances = test.answers["sick"].probabilities[:, 1]
    np.testing.assert_allclose(chances, (chance(TEST) + chance(TEST, 0.5)) / 2, rtol=1e-5)
    alone = np.concatenate([chance(TUNES[0]), chance(TUNES[1], 0.5)])
    np.testing.assert_allclose(tune.answers["sick"].probabilities[:, 1], alone, rtol=1e-5)
    np.testing.assert_allclose(test.shift, (2 + 2.5) / 2)
    np.testing.assert_allclose(tune.shift, np.repeat([1, 1.5], 10))


def test_members_that_share_their_tune_rows_answer_for_them_together(questions):
    shared = fold(TUNES[0], TUNES[0])
    assert same_tune_rows(shared)
    assert not same_tune_rows(fold(*TUNES))
    found = average(shared, questions, member(TUNES[0]), member(TUNES[0], 0.5))
    tune = found.part("tune")
    assert len(tune.samples) == 10
    expected = (chance(TUNES[0]) + chance(TUNES[0], 0.5)) / 2
    np.testing.assert_allclose(tune.answers["sick"].probabilities[:, 1], expected, rtol=1e-5)


def test_names_and_truths_are_those_of_the_rows(questions):
    found = average(fold(*TUNES), questions, *(member(tune) for tune in TUNES))
    rows = np.concatenate([*TUNES, TEST])
    order = np.concatenate([found.samples.row[found.samples.part == part] for part in ("tune", "test")])
    np.testing.assert_array_equal(order, COHORT.row[rows])
    position = (found.samples.row - 1) // 2
    np.testing.assert_array_equal(found.samples.patient, COHORT.patient[position])
    np.testing.assert_array_equal(found.samples.site, COHORT.site[position])
    np.testing.assert_array_equal(found.samples.strata["sex"], COHORT.strata["sex"][position])
    np.testing.assert_array_equal(found.answers["sick"].truth, SICK[position])
    assert set(found.samples.repeat) == {1}
    assert set(found.samples.fold) == {2}
    nowhere = replace(COHORT, site=None)
    assert average(fold(TUNES[0]), questions, member(TUNES[0]), cohort=nowhere).samples.site is None


def test_one_member_answers_as_it_does(questions):
    found = average(fold(TUNES[0]), questions, member(TUNES[0]))
    answer = questions["sick"].take(TEST).decode(member(TUNES[0])[1].fits[0].by_target["sick"])
    np.testing.assert_allclose(found.part("test").answers["sick"].probabilities, answer.probabilities)
    assert replace(found, shift=found.shift).model == "ours"
