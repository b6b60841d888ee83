"""What trees look at where a table is wide or time is short: a rule, learned from training rows only."""

from dataclasses import replace

import numpy as np
import pytest

from polyclinic.baselines.effort import (
    Effort,
    bounded,
    choose_columns,
    effort_for,
    fewer,
    narrow,
    plain_seconds,
    seconds_of,
)
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.errors import Severity
from polyclinic.heads.base import Question
from polyclinic.records.base import Features
from polyclinic.study import catalogue


class TestEffort:
    @pytest.mark.parametrize(("rows", "columns"), [(300, 30), (100_000, 200), (2_000_000, 256)])
    def test_without_a_cap_tables_that_are_not_wide_are_seen_whole(self, rows, columns):
        assert effort_for(rows, columns, 9, None) == Effort(columns, rows)

    @pytest.mark.parametrize(("outputs", "columns"), [(1, 685), (5, 256)])
    def test_wide_tables_take_a_minute_a_fit_at_most(self, outputs, columns):
        """3,096 genes of 802 patients: 19 minutes, seen whole."""
        assert effort_for(802, 3096, outputs, None) == Effort(columns, 802)
        assert seconds_of(802, 3096, outputs, None) < 60

    @pytest.mark.parametrize(("rows", "columns"), [(300, 30), (5000, 3000), (400_000, 60)])
    def test_a_cap_bounds_columns_and_then_rows(self, rows, columns):
        for seconds in (2.0, 10.0):
            effort = effort_for(rows, columns, 2, seconds)
            at_least = effort.rows <= 500 or effort.columns <= 32
            assert seconds_of(rows, columns, 2, seconds) <= seconds * 1.01 or at_least

    def test_with_hardly_any_time_something_is_left_to_compare_with(self):
        assert effort_for(400_000, 3000, 2, 0.01) == Effort(32, 500)

    def test_a_long_cap_changes_no_bound(self):
        assert effort_for(802, 3096, 5, 1e6).columns == effort_for(802, 3096, 5, None).columns

    def test_a_fifth_of_a_cap_is_shared_by_all_fits(self):
        assert plain_seconds(10, 4) == 30
        assert plain_seconds(None, 4) is None


@pytest.fixture
def question() -> Question:
    signal = np.random.default_rng(0).standard_normal(300)
    made = catalogue.find("heads", "classify")
    frame, keys = made.example(np.random.default_rng(1), signal, "sick")
    head = made("sick", made.Options(**keys))
    return Question(head, head.read_target(frame, "cohort.csv"))


def features_of(question: Question, categorical=()) -> Features:
    """Forty columns of noise; the last two say something of the outcome, one of them in outliers' units."""
    rng = np.random.default_rng(2)
    outcome = question.outcomes.strata().astype(float)
    matrix = rng.standard_normal((300, 40))
    matrix[:, 38] += 2 * outcome
    matrix[:, 39] = np.exp(5 * (rng.standard_normal(300) + 2 * outcome))
    matrix[::7, 39] = np.nan
    return Features(matrix, tuple(f"g{i}" for i in range(40)), tuple(i in categorical for i in range(40)))


class TestColumns:
    def test_those_that_go_with_the_outcome_are_chosen_whatever_their_scale(self, question):
        chosen = choose_columns(features_of(question), question, TrainRows(np.arange(200)), 5)
        assert len(chosen) == 5
        assert {38, 39} <= set(chosen)
        assert (np.diff(chosen) > 0).all()

    def test_only_training_rows_choose(self, question):
        features = features_of(question)
        other = features.matrix.copy()
        other[200:] = -7 * other[200:] + 5
        rows, changed = TrainRows(np.arange(200)), replace(features, matrix=other)
        chosen = [choose_columns(one, question, rows, 9) for one in (features, changed)]
        assert np.array_equal(*chosen)

    def test_categories_stay_and_columns_of_nothing_go(self, question):
        features = features_of(question, categorical=(3,))
        features.matrix[:, 5] = np.nan
        features.matrix[:, 6] = 1.0
        chosen = choose_columns(features, question, TrainRows(np.arange(200)), 3)
        assert chosen.tolist() == [3, 38, 39]

    def test_names_and_sorts_go_with_their_columns(self, question):
        few = narrow(features_of(question, categorical=(3,)), np.array([3, 38]))
        assert few.names == ("g3", "g38")
        assert few.categorical == (True, False)
        assert few.matrix.shape == (300, 2)


def test_fewer_rows_are_drawn_from_the_training_rows_and_stay_the_same():
    rows = Inner(TrainRows(np.arange(0, 100, 2)), TuneRows(np.arange(1, 20, 2)))
    assert fewer(rows, 50, 1) is rows
    few = fewer(rows, 10, 1)
    assert len(set(few.train.index)) == 10
    assert set(few.train.index) <= set(rows.train.index)
    assert np.array_equal(few.train.index, fewer(rows, 10, 1).train.index)
    assert few.tune is rows.tune


def test_what_was_not_looked_at_is_told():
    assert bounded("sick", Effort(30, 200), 200, 30, capped=True) is None
    note = bounded("sick", Effort(290, 802), 802, 3096, capped=False)
    assert note is not None
    assert note.severity is Severity.NOTE
    assert "for sick it saw 290 of 3096 columns" in note.found
    warned = bounded("sick", Effort(32, 500), 802, 3096, capped=True)
    assert warned is not None
    assert warned.severity is Severity.WARNING
    assert "32 of 3096 columns and 500 of 802 training rows" in warned.found
