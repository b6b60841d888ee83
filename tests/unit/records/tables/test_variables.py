import numpy as np
import polars as pl
import pytest

from polyclinic.records.tables.variables import Categories, _word_key, as_numbers, as_words, row_hashes


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


def test_rows_that_could_be_anyones_have_no_hash():
    rng = np.random.default_rng(0)
    assert not row_hashes(rng.integers(0, 2, (200, 6)).astype(float)).any()
    assert not row_hashes(rng.normal(size=(200, 2))).any()
    assert not row_hashes(np.ones((200, 50))).any()
    blank = rng.normal(size=(200, 6))
    blank[3, 2:] = np.nan
    assert np.flatnonzero(row_hashes(blank) == 0).tolist() == [3]
