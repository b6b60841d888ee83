"""Signs and words for "not known" in columns of words: a dash among stages, and NA where it is a name."""

from collections.abc import Sequence

import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.laboratory import ColumnReading, rows_of

_SIGNS = ("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", ".", "?", "??")
_SHORT_CODE = r"^[A-Z]{1,3}$"
_POSITIVE = r"(?i)^(\+|pos|yes|ja|oui|si)|\+$"
"""Beside a plus a minus is a result, as of a test or of a blood group."""
_FEWEST_WORDS = 2
"""Other words among which a dash says that nothing is known; of one word and a dash nobody can tell."""
_MOSTLY = 0.9
"""Nine in ten other words are short codes: a round number."""


def signs_as_missing(place: str, column: pl.Series) -> ColumnReading | None:
    """A column of words in which a dash or another sign alone says "not known"; None where there is none."""
    signs = column.is_in(_SIGNS).fill_null(False)
    words = column.filter(~signs).drop_nulls().unique()
    if not signs.any() or len(words) < _FEWEST_WORDS or bool(words.str.contains(_POSITIVE).any()):
        return None
    finding = Finding(
        name="signs_as_missing",
        place=place,
        rule="a category should be a word",
        found=f"a sign alone, such as a dash, in {counted(int(signs.sum()), 'cell')}, read as missing",
        remedy='If the sign is a category, write type = "text" under [cohort.columns] for the column.',
        severity=Severity.NOTE,
        rows=rows_of(signs),
    )
    return ColumnReading(column.set(signs, None), (finding,))


def name_taken_as_missing(place: str, raw: pl.Series, missing_values: Sequence[str]) -> Finding | None:
    """The finding that a word for "not known" may be a name here: NA, sodium or Namibia, among other short codes."""
    if raw.dtype != pl.String:
        return None
    text = raw.str.strip_chars()
    taken = text.is_in([word for word in missing_values if word]).fill_null(False)
    others = text.filter(~taken & (text != "").fill_null(False)).unique()
    short = taken & text.str.contains(_SHORT_CODE).fill_null(False)
    if not short.any() or not len(others) or int(others.str.contains(_SHORT_CODE).sum()) < _MOSTLY * len(others):
        return None
    return Finding(
        name="name_taken_as_missing",
        place=place,
        rule="a name must not be a word for not known",
        found=f"a word of missing_values, such as NA, stands among short codes in {counted(int(short.sum()), 'cell')}",
        remedy="If it is a name, as of sodium or Namibia, leave that word out of [cohort] missing_values.",
        severity=Severity.WARNING,
        rows=rows_of(short),
    )
