import numpy as np
import pytest

from polyclinic.records.base import Oddity, OddValues
from polyclinic.steps.odd_values import reasons_of, shared, summed_up


def odd(column, oddity, *rows):
    return OddValues(column, oddity, np.isin(np.arange(4), rows))


ROWS = np.array([1, 2, 3, 7])


@pytest.fixture
def found():
    return shared(
        [
            [
                odd("age", Oddity.IMPOSSIBLE, 1),
                odd("age", Oddity.OUTSIDE, 1, 2),
                odd("size", Oddity.OUTSIDE, 2),
                odd("ward", Oddity.UNSEEN, 2),
            ]
        ]
    )


def test_each_row_names_its_columns_and_an_impossible_value_is_not_told_twice(found):
    assert reasons_of(found, 4) == [
        [],
        ["impossible: age"],
        ["outside the range seen in training: age, size", "rare or never seen in training: ward"],
        [],
    ]


def test_what_one_network_was_trained_on_is_not_odd():
    fits = [[odd("age", Oddity.OUTSIDE, 0, 1)], [odd("age", Oddity.OUTSIDE, 1, 2)]]
    [one] = shared(fits)
    assert one.rows.tolist() == [False, True, False, False]


def test_networks_that_differ_on_what_is_impossible_still_agree_on_the_range():
    fits = [
        [odd("age", Oddity.IMPOSSIBLE, 1), odd("age", Oddity.OUTSIDE, 1)],
        [odd("age", Oddity.IMPOSSIBLE), odd("age", Oddity.OUTSIDE, 1)],
    ]
    assert reasons_of(shared(fits), 4)[1] == ["outside the range seen in training: age"]


def test_the_sum_counts_rows_by_column_and_names_them(found):
    impossible, outside = summed_up(found, "new.csv", ROWS)
    assert impossible.found == "not so: age in 1 row"
    assert impossible.rows == (2,)
    assert outside.found == "not so: age in 1 row, size in 1 row"
    assert outside.rows == (3,)
    assert summed_up([], "new.csv", ROWS) == []
