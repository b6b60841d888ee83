"""Several fits as one: whose rows calibrate, whose answers are averaged, and whose truth stands beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.rows import Fold, Inner, TestRows, TrainRows, TuneRows
from polyclinic.cohort.table import Cohort, Fingerprints
from polyclinic.heads.base import Question
from polyclinic.heads.classify import Classify
from polyclinic.training.ensemble import MemberOutputs, average_members, calibrate_members, same_tune_rows
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


def member(tune: np.ndarray, add: float = 0.0) -> MemberOutputs:
    def of_row(row: int) -> float:
        return 0.05 * row + add

    shift = 1 + add
    return MemberOutputs(
        outputs(tune, of_row), outputs(TEST, of_row), np.full(len(tune), shift), np.full(len(TEST), shift + 1)
    )


def chance(row: np.ndarray, add: float = 0.0) -> np.ndarray:
    return 1 / (1 + np.exp(-(0.05 * row + add)))


def test_calibration_sees_the_tune_rows_of_all_members_and_nothing_else(questions, monkeypatch):
    seen = []

    def calibrate(head, found, target, method):
        seen.append((found, target, method))
        return head

    monkeypatch.setattr(Classify, "calibrate", calibrate)
    calibrate_members(questions, [member(TUNES[0]), member(TUNES[1], 0.3)], "temperature")
    [(found, target, method)] = seen
    rows = np.concatenate(TUNES)
    np.testing.assert_allclose(found.ravel(), 0.05 * rows + np.repeat([0.0, 0.3], 10), rtol=1e-6)
    assert len(target.known) == len(rows)
    truth = questions["sick"].take(rows).decode(np.zeros((len(rows), 1, 1), np.float32)).truth
    np.testing.assert_array_equal(truth, SICK[rows])
    assert method == "temperature"


def test_outcomes_of_all_rows_stay_with_a_calibrated_question(questions):
    calibrated = calibrate_members(questions, [member(TUNES[0])], "temperature")
    assert calibrated["sick"].target is questions["sick"].target
    assert calibrated["sick"].head.plan != questions["sick"].head.plan


def test_members_average_on_test_rows_and_answer_alone_for_their_tune_rows(questions):
    found = average_members("ours", COHORT, fold(*TUNES), questions, [member(TUNES[0]), member(TUNES[1], 0.5)])
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
    found = average_members("ours", COHORT, shared, questions, [member(TUNES[0]), member(TUNES[0], 0.5)])
    tune = found.part("tune")
    assert len(tune.samples) == 10
    expected = (chance(TUNES[0]) + chance(TUNES[0], 0.5)) / 2
    np.testing.assert_allclose(tune.answers["sick"].probabilities[:, 1], expected, rtol=1e-5)


def test_names_and_truths_are_those_of_the_rows(questions):
    found = average_members("ours", COHORT, fold(*TUNES), questions, [member(tune) for tune in TUNES])
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
    assert average_members("ours", nowhere, fold(TUNES[0]), questions, [member(TUNES[0])]).samples.site is None


def test_one_member_answers_as_it_does(questions):
    found = average_members("ours", COHORT, fold(TUNES[0]), questions, [member(TUNES[0])])
    answer = questions["sick"].take(TEST).decode(member(TUNES[0]).test.by_target["sick"])
    np.testing.assert_allclose(found.part("test").answers["sick"].probabilities, answer.probabilities)
    assert replace(found, shift=found.shift).model == "ours"
