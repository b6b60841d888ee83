"""Cells that hold more than one number: blood pressures, times, durations, weeks and days, a value with its range."""

import re
from collections.abc import Collection

import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.distinct_cells import NEARLY

_NUMBER = r"\d+(?:[.,]\d+)?"
_PAIR = rf"^\s*{_NUMBER}\s*[/\\]\s*{_NUMBER}(?:\s*mm\s?Hg)?\s*$"
_TWO_DIGITS = r"\d\d"
"""Pairs of single digits are genotypes or scores, such as 0/1, and words."""
_SORTS = (
    (r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?$", "a time of day or a duration"),
    (r"^(?:\d+(?:[.,]\d+)?\s?[^\W\d_]{1,7}\.?,?\s*){2,4}$", "numbers with several units, as in a duration"),
    (r"^\d{1,2}\s?\+\s?\d$", "weeks + days: two numbers"),
    (r"^\d+\s?['\u2032]\s?\d{1,2}\s?(?:\"|''|\u2033)?$", "feet ' and inches: two numbers in two units"),
    (rf"^[<>]?\s*{_NUMBER}\s*[\[(].*\d.*[\])]$", "a number and a range"),
)


def several_numbers(place: str, column: pl.Series) -> Finding | None:
    """The finding that nearly every cell of a column holds more than one number; None where that is not so.

    Two numbers with a stroke between them are refused: as categories they would be lost. The others are told.
    """
    known = column.drop_nulls()
    for pattern, what in ((_PAIR, 'two numbers with / between them, as in "120/80"'), *_SORTS):
        many = int(known.str.contains(pattern).sum())
        if many and many >= NEARLY * len(known) and (pattern != _PAIR or known.str.contains(_TWO_DIGITS).any()):
            return Finding(
                name="two_numbers_in_a_cell",
                place=place,
                rule="a cell must hold one number",
                found=f"{what}, in {many:,} of {len(column):,} cells, so that all are read as categories",
                remedy="Write them into two columns, or as one number such as minutes, days or years.",
                severity=Severity.REFUSED if pattern == _PAIR else Severity.WARNING,
            )
    return None


def two_numbers_among(cells: Collection[str]) -> str:
    """In words whether some of the cells hold two numbers; "" if none does."""
    return "some of them two numbers with / between them" if any(re.match(_PAIR, cell) for cell in cells) else ""
