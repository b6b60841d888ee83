from datetime import date

import numpy as np
import polars as pl

from polyclinic.cohort.outcomes import absent_columns, nameable, numbers, rows_where, words, yes_no


def test_numbers_from_text_are_read_and_wrong_cells_marked():
    read = numbers(pl.Series("age", ["1", " 2.5 ", "forty", "", None, "inf", "1e3"]))
    np.testing.assert_array_equal(read.value, [1, 2.5, np.nan, np.nan, np.nan, np.nan, 1000])
    assert rows_where(read.wrong) == (3, 6)


def test_numbers_keep_absent_cells_absent():
    read = numbers(pl.Series("age", [1.0, float("nan"), None]))
    assert not read.wrong.any()
    assert read.known.tolist() == [True, False, False]


def test_dates_are_not_numbers():
    assert numbers(pl.Series("day", [date(2020, 1, 1), None])).wrong.tolist() == [True, False]


def test_an_empty_column_is_absent_not_wrong():
    read = numbers(pl.Series("age", [None, None]))
    assert not read.wrong.any()
    assert not read.known.any()


def test_yes_no_reads_numbers_booleans_and_text_alike():
    expected = [1.0, 0.0, np.nan]
    for cells in (["1", "0", ""], ["True", " FALSE ", None], [1, 0, None], [1.0, 0.0, None], [True, False, None]):
        np.testing.assert_array_equal(yes_no(pl.Series("x", cells)).value, expected)


def test_yes_no_marks_everything_else():
    assert yes_no(pl.Series("x", [0, 1, 2, -1, None])).wrong.tolist() == [False, False, True, True, False]
    assert yes_no(pl.Series("x", ["yes", "1"])).wrong.tolist() == [True, False]


def test_words_spell_numbers_and_booleans_as_a_user_would():
    assert words(pl.Series("x", ["M ", "B", "", None])) == ("M", "B", None, None)
    assert words(pl.Series("x", [1.0, 2.5, None])) == ("1", "2.5", None)
    assert words(pl.Series("x", [True, None])) == ("true", None)
    assert words(pl.Series("x", ["a", None]).cast(pl.Categorical)) == ("a", None)


def test_only_names_that_several_rows_share_may_be_listed():
    assert nameable(["a"] * 5 + ["b"] * 4 + [None]) == ("a",)
    assert nameable([str(n) for n in range(30)] * 5) == ()


def test_an_absent_column_gets_the_nearest_name():
    (finding,) = absent_columns(pl.DataFrame({"Diagnosis": [1]}), ("diagnosis",), "[targets.x] column", "cohort.csv")
    assert 'Did you mean "Diagnosis"?' in str(finding)
