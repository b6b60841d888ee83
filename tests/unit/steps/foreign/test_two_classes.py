import numpy as np
import polars as pl
import pytest

from polyclinic.steps.foreign.two_classes import Pair, different, events_of, numbered, pair_of, unknown_words, words_of


def words(*cells):
    return np.array(cells, dtype=object)


def test_words_are_those_of_the_table():
    assert words_of(pl.Series([1.0, 2.0, None])).tolist() == ["1", "2", None]
    assert words_of(pl.Series([True, False, None])).tolist() == ["true", "false", None]
    assert words_of(pl.Series(["01", "1"])).tolist() == ["01", "1"]
    assert different(words("10", "9", "b", None, "a", "9")) == ["9", "10", "a", "b"]


@pytest.mark.parametrize(
    ("found", "column", "positive", "pair"),
    [
        (["0", "1"], "truth", None, Pair("0", "1")),
        (["yes", "no"], "truth", None, Pair("no", "yes")),
        (["yes", "no"], "alive", None, Pair("yes", "no")),
        (["1", "2"], "truth", None, None),
        (["1", "2"], "truth", "2", Pair("1", "2")),
        (["1", "2"], "truth", "3", None),
        (["NA", "AD"], "truth", None, None),
        (["1"], "truth", None, Pair("0", "1")),
        (["yes"], "truth", None, Pair("not yes", "yes")),
        (["healthy"], "truth", None, Pair("healthy", "not healthy")),
        (["grey"], "truth", None, None),
    ],
)
def test_the_positive_one_is_told_by_word_or_by_the_user(found, column, positive, pair):
    assert pair_of(found, column, positive) == pair


def test_a_word_for_not_known_is_a_class_where_one_is_called_so():
    truth = words("NA", "0", "1", None)
    assert unknown_words(truth, ("0", "1")).tolist() == [True, False, False, False]
    assert unknown_words(truth, ("NA", "0", "1")).tolist() == [False] * 4
    assert unknown_words(truth, (), 2).tolist() == [True, False, False, False]
    assert unknown_words(words("NA", "AD"), (), 2).tolist() == [False, False]


def test_numbers_of_classes():
    np.testing.assert_array_equal(numbered(words("b", "a", None, "c"), ("a", "b")), [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(numbered(words("1.0", "true"), ("0", "1")), [1, np.nan])


def test_events():
    np.testing.assert_array_equal(events_of(words("1", "no", "2", None, "died")), [1, 0, np.nan, np.nan, 1])
