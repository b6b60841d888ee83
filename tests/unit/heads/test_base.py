import numpy as np

from polyclinic.heads.base import Question
from polyclinic.heads.regress import Regress, ValueTarget


def test_nothing_is_noted_when_all_is_known():
    assert ValueTarget(np.ones(3, dtype=bool), np.arange(3.0)).check("[targets.x]") == []


def test_a_question_about_some_rows_holds_every_array_of_them():
    target = ValueTarget(np.array([True, False, True]), np.array([1.0, np.nan, 3.0]))
    part = Question(Regress("hb", Regress.Options(column="hb")), target).take(np.array([2, 1]))
    assert part.name == "hb"
    assert part.head.ground is None
    assert part.outcomes.known.tolist() == [True, False]
    assert part.outcomes.truth[0] == 3.0
