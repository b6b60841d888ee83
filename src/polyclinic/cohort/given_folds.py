"""Columns of the table that say in which fold each row is tested: published folds, one column for each repetition."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from jaxtyping import Bool, Int

from polyclinic.cohort.field_words import consists_of, mentions, tokens
from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError, Finding, stop_on
from polyclinic.formats.columns.column_types import absent_column, counted

_PLACE = "[split] folds"

_MOST_FOLDS = 50
"""Each fold is a training of its own; published folds are 5 to 20, and more names are those of patients or sites."""

_MOST_DRAFTED = 20
"""Folds of a column that is taken for one by its name; published ones are 5 or 10, seldom more. A round number."""

_FEWEST_OF_FOLD = 2
"""Patients of a fold on average; with fewer the column names patients, or leaves one out at a time."""


def read_folds(cohort: Cohort, columns: Sequence[str]) -> list[list[Bool[np.ndarray, " row"]]]:
    """For each column, one repetition, the tested rows of each of its folds, in the order of their numbers or words.

    Raises:
        CohortError: with all findings of all columns: absent, named twice, cells without a fold, one fold only, so many
            that it is an identifier, the same folds again, different numbers of folds.
    """
    stop_on([absent_column(_PLACE, name, cohort.frame.columns) for name in _absent(cohort, columns)], CohortError)
    words = {name: _words(cohort.frame[name]) for name in columns}
    stop_on([finding for name, column in words.items() for finding in _findings(cohort, name, column)], CohortError)
    numbers = [_numbered(column) for column in words.values()]
    stop_on([*_named_twice(columns), *_unequal(numbers), *_alike(columns, numbers)], CohortError)
    return [[number == fold for fold in range(int(number.max()) + 1)] for number in numbers]


def _absent(cohort: Cohort, columns: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(columns) if name not in cohort.frame.columns]


def _words(column: pl.Series) -> pl.Series:
    """The cells as words, absent where blank."""
    words = column.cast(pl.String).str.strip_chars()
    return words.set(words == "", None)


def _numbered(words: pl.Series) -> Int[np.ndarray, " row"]:
    """Number of each row's fold, from 0: in the order of numbers where all are numbers, else of words."""
    numbers = words.cast(pl.Float64, strict=False)
    ordered = words if numbers.null_count() else numbers
    return ordered.rank("dense").cast(pl.Int64).to_numpy() - 1


def _findings(cohort: Cohort, name: str, words: pl.Series) -> Iterator[Finding]:
    """What makes one column no column of folds."""
    place, many = f'{cohort.name} column "{name}"', words.drop_nulls().n_unique()
    most = min(_MOST_FOLDS, len(np.unique(cohort.patient)) // _FEWEST_OF_FOLD)
    if words.null_count():
        yield Finding(
            name="fold_missing",
            place=place,
            rule="every row must say in which fold it is tested",
            found=f"nothing in {counted(words.null_count(), 'row')}",
            remedy="Fill them in, or leave the rows out with exclude.",
            rows=tuple(int(cohort.row[i]) for i in words.is_null().arg_true()),
        )
    elif many < 2:
        remedy = "Name the column with the fold of each row, or write a number of folds to be drawn."
        yield Finding("one_fold", place, "there must be at least 2 folds", f"there is {many}", remedy)
    if many > most:
        rule = (
            f"a column of folds holds at most {most} different ones here, with {_FEWEST_OF_FOLD} patients or more each"
        )
        remedy = "An identifier is no fold: name the column with the fold of each row, or write a number of folds."
        yield Finding("too_many_folds", place, rule, f"it holds {many}", remedy)


def _named_twice(columns: Sequence[str]) -> list[Finding]:
    rule, remedy = "each column is one repetition", "Name it once."
    return [
        Finding("folds_named_twice", _PLACE, rule, f'"{name}" is named {count} times', remedy)
        for name, count in Counter(columns).items()
        if count > 1
    ]


def _unequal(numbers: Sequence[Int[np.ndarray, " row"]]) -> list[Finding]:
    """Repetitions of one cross-validation train on equally many; others are another study, and are not pooled."""
    many = sorted({int(number.max()) + 1 for number in numbers})
    if len(many) == 1:
        return []
    rule, found = "all columns must hold equally many folds", f"they hold {', '.join(map(str, many))}"
    return [Finding("unequal_folds", _PLACE, rule, found, "Run columns with other numbers of folds as another study.")]


def _alike(columns: Sequence[str], numbers: Sequence[Int[np.ndarray, " row"]]) -> Iterator[Finding]:
    """Columns that divide the rows in the same way, which would count one repetition twice."""
    first: dict[bytes, str] = {}
    for name, number in zip(dict.fromkeys(columns), numbers, strict=True):
        division = np.unique(number, return_index=True)[1][number].tobytes()
        if (other := first.setdefault(division, name)) != name:
            found = f'"{name}" and "{other}" give the same folds'
            yield Finding("same_folds", _PLACE, "each column is one repetition", found, "Name one of them.")


def is_fold_column(column: pl.Series) -> bool:
    """Whether a column is called as one that names folds, such as cv_fold_2, and holds a few in all rows."""
    if column.null_count() or not (column.dtype.is_integer() or column.dtype == pl.String):
        return False
    name = re.sub(r"[0-9]+", " ", " ".join(tokens(column.name)))
    named = mentions(name, "fold") and consists_of(name, "fold", "about_fold")
    return named and 2 <= column.n_unique() <= min(_MOST_DRAFTED, len(column) // _FEWEST_OF_FOLD)
