"""A warning where too little happened among the tune rows to learn from."""

import numpy as np
import pytest

from polyclinic.cohort.rows import Fold, Inner, Split, TestRows, TrainRows, TuneRows
from polyclinic.errors import Severity
from polyclinic.heads.base import Question
from polyclinic.heads.classify import Classify, ClassTarget
from polyclinic.heads.multilabel import LabelsTarget
from polyclinic.heads.regress import ValueTarget
from polyclinic.heads.survive import SurvivalTarget
from polyclinic.steps.few_tune_events import few_tune_events

ALL = np.ones(60, dtype=bool)
SOME = (np.arange(60) % 4 == 0).astype(int)  # every fourth: 5 of 20, 10 of 40


def fold(*tunes: range) -> Fold:
    nothing = np.array([], dtype=np.int64)
    members = tuple(Inner(TrainRows(nothing), TuneRows(np.arange(60)[tune.start : tune.stop])) for tune in tunes)
    return Fold(0, 0, members, TestRows(nothing))


def found(target, *folds: Fold):
    question = Question(Classify("ill", Classify.Options(column="ill")), target)
    return list(few_tune_events({"ill": question}, Split(folds)))


def classes(truth) -> ClassTarget:
    return ClassTarget(truth >= 0, truth, ("no", "yes"), assumed=False)


def test_the_fold_with_fewest_is_told_with_what_hangs_on_it_and_what_helps():
    [finding] = found(classes(SOME), fold(range(40)), fold(range(20)))
    assert (finding.name, finding.severity) == ("few_tune_events", Severity.WARNING)
    assert finding.place == "[targets.ill]"
    assert finding.found == "the fold with fewest has 5 of the rarest class"
    for words in ("threshold", "correction", "ensemble", "larger tune", "folds"):
        assert words in finding.remedy
    assert found(classes(SOME), fold(range(40))) == []


def test_the_rarer_class_counts_whichever_it_is():
    assert len(found(classes(1 - SOME), fold(range(20)))) == 1
    assert found(classes(1 - SOME), fold(range(40))) == []


def test_members_with_tune_rows_of_their_own_count_together_and_no_row_twice():
    assert found(classes(SOME), fold(range(20), range(20, 40))) == []
    assert len(found(classes(SOME), fold(range(20), range(20)))) == 1


def test_unknown_outcomes_do_not_count():
    assert "has 4 of" in found(classes(np.where(np.arange(60) < 4, -1, SOME)), fold(range(20)))[0].found


@pytest.mark.parametrize(("last", "few"), [(20, True), (40, False)])
def test_events_of_survival_count(last, few):
    event = SOME.astype(float)
    assert bool(found(SurvivalTarget(ALL, event, np.arange(1.0, 61)), fold(range(last)))) == few


def test_each_label_counts_and_few_are_named():
    labels = np.stack([SOME, 1 - SOME, np.arange(60) % 2, *[np.zeros(60)] * 5], axis=1).astype(float)
    names = ("oedema", "mass", "nodule", *"abcde")
    [finding] = found(LabelsTarget(ALL, labels, names), fold(range(20)))
    assert finding.found == (
        'the fold with fewest has 5 of "oedema", 5 of "mass", 0 of "a", 0 of "b", 0 of "c" and 2 more'
    )


def test_numbers_have_no_events_and_no_tune_rows_no_count():
    assert found(ValueTarget(ALL, np.zeros(60)), fold(range(20))) == []
    assert found(classes(SOME), fold(range(0))) == []
