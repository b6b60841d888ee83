import numpy as np
import polars as pl
import pytest

from polyclinic.records.tables.variables import Categories, _word_key, as_numbers, as_words, row_halves, row_hashes


@pytest.mark.parametrize(
    ("values", "numbers", "stray"),
    [
        ([1, None, 3], [1, np.nan, 3], ()),
        ([1.5, np.nan, np.inf], [1.5, np.nan, np.nan], (3,)),
        (["1", " 2.5 ", "x", "", None], [1, 2.5, np.nan, np.nan, np.nan], (3,)),
        ([True, False, None], [1, 0, np.nan], ()),
        ([None, None], [np.nan, np.nan], ()),
    ],
)
def test_numbers_what_is_missing_and_what_is_stray(values, numbers, stray):
    found, rows = as_numbers(pl.Series(values, strict=False))
    np.testing.assert_array_equal(found, numbers)
    assert rows == stray


def test_words_are_sorted_stripped_and_missing_is_minus_one():
    column = as_words(pl.Series([" b", "a", "", None, "b"]))
    assert column.words == ("a", "b")
    assert column.codes.tolist() == [1, 0, -1, -1, 1]


def test_fractions_stay_fractions():
    assert as_words(pl.Series([0.5, 1.0, None])).words == ("0.5", "1.0")


def test_the_hash_of_a_word_is_the_published_one():
    """FNV-1a, 64 bit, of the letter a: test vectors of draft-eastlake-fnv, appendix."""
    assert _word_key("") == 0xCBF29CE484222325
    assert _word_key("a") == 0xAF63DC4C8601EC8C


def test_hashes_see_every_column_and_not_the_last_digit():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(40, 5))
    base = row_hashes(numbers)
    for column in range(5):
        changed = numbers.copy()
        changed[7, column] += 0.1
        assert (row_hashes(changed) != base).tolist() == [row == 7 for row in range(40)]
    assert (row_hashes(numbers * (1 + 1e-12)) == base).all()
    swapped = numbers.copy()
    swapped[7, :2] = swapped[7, 1::-1]
    assert row_hashes(swapped)[7] != base[7]


def test_hashes_of_words_do_not_hang_on_the_other_rows():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(9, 4))
    one = row_hashes(numbers, (Categories(("a", "b"), np.array([0, 1] * 4 + [0])),))
    two = row_hashes(numbers, (Categories(("0", "a", "b"), np.array([1, 2] * 4 + [0])),))
    assert (one[:8] == two[:8]).all()
    assert one[8] != two[8]


def test_a_row_of_which_nothing_is_known_has_no_hash():
    numbers = np.random.default_rng(0).normal(size=(9, 3))
    numbers[3] = np.nan
    numbers[4, :2] = np.nan
    words = Categories(("a",), np.array([-1] * 5 + [0] * 4))
    assert np.flatnonzero(row_hashes(numbers, (words,)) == 0).tolist() == [3]


def test_halves_of_rows_divide_numbers_and_words():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(60, 3))
    words = Categories(("a", "b", "c"), rng.integers(-1, 3, 60))
    numbers[7, 0] = np.nan
    rows = row_halves(numbers, (words,))
    assert rows.filled.tolist() == (np.isfinite(numbers).sum(axis=1) + (words.codes >= 0)).tolist()
    for column in range(3):
        changed = numbers.copy()
        changed[9, column] += 1
        other = row_halves(changed, (words,))
        assert (other.one[9] != rows.one[9]) != (other.other[9] != rows.other[9])
    assert len(row_halves(numbers[:, :0], (words,)).one) == 60


def test_of_thousands_of_columns_some_stand_for_all():
    wide = np.random.default_rng(0).normal(size=(30, 3000))
    wide[1] = wide[0]
    rows = row_halves(wide)
    assert rows.filled.tolist() == [250] * 30
    assert (rows.one[0], rows.other[0]) == (rows.one[1], rows.other[1])
