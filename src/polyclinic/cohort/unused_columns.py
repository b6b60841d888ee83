"""Which columns of the table a study does not use, and why: nobody should find out later that age was left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten
from polyclinic.formats.columns.laboratory import ColumnReading
from polyclinic.translations.phrase import Phrase

_NAMES_ROWS = 0.5
"""More different words than half the rows: they name rows. A round number."""
_FEWEST_NAMES = 20
"""In so few rows words may differ by chance; a round number."""

_NOT_NAMED = Phrase("no part of the study names it, or the study leaves it out")
_EMPTY = Phrase("no value in any row")
_CONSTANT = Phrase("the same in every row")
_DATES = Phrase("dates: give a number of days instead")
_LISTS = Phrase("lists or bytes")
_NAMES = Phrase("another word in nearly every row")
_UNREAD = {
    "ambiguous_numbers": Phrase("numbers with a comma or point that is open: write decimal under [cohort.columns]"),
    "mixed_units": Phrase("values in several units: convert them to one"),
    "two_numbers_in_a_cell": Phrase("two numbers in a cell: write them into two columns"),
    "unreadable_dates": Phrase(
        "dates that leave the day open, as day or month first: write date_format under [cohort.columns]"
    ),
}
"""Why a column that is no text was left as text, by the finding of its reading, and what mends it."""
_PLAIN = (_NOT_NAMED, _EMPTY, _CONSTANT, _DATES, _LISTS, _NAMES)
WHYS: dict[str, Phrase] = {str(why): why for why in (*_PLAIN, *_UNREAD.values())}
"""All reasons, by their English."""


@dataclass(frozen=True)
class UnusedColumn:
    """A column that neither an input nor a target nor a role reads.

    Attributes:
        name: Of the column.
        why: What it holds that speaks against it, or that nothing names it; one of ``WHYS``.
    """

    name: str
    why: str


def unused_columns(
    frame: pl.DataFrame, used: Collection[str], readings: Mapping[str, ColumnReading]
) -> tuple[UnusedColumn, ...]:
    """The columns of a table that a study does not use, in their order, each with the reason.

    Args:
        frame: The table.
        used: Names of the columns in use.
        readings: How single columns were read that are not written plainly.
    """
    left = [column for column in frame if column.name not in used]
    return tuple(UnusedColumn(c.name, str(why_unread(readings.get(c.name)) or _why(c))) for c in left)


def why_unread(reading: ColumnReading | None) -> Phrase | None:
    """Why a column of numbers or dates stayed text, with what mends it; None where it was read, or holds words."""
    findings = () if reading is None else reading.findings
    return next((_UNREAD[finding.name] for finding in findings if finding.name in _UNREAD), None)


def unused_findings(cohort: Cohort, unused: Sequence[UnusedColumn]) -> list[Finding]:
    """One note that lists them; nothing if all columns are used."""
    if not unused:
        return []
    return [
        Finding(
            name="unused_columns",
            place=cohort.name,
            rule="every column may be used",
            found=f"{counted(len(unused), 'column')} not: {shorten(f'{one.name} ({one.why})' for one in unused)}",
            remedy="Name those that are known at the moment of prediction in an input.",
            severity=Severity.NOTE,
        )
    ]


def _why(column: pl.Series) -> Phrase:
    known = column.drop_nulls()
    if not len(known):
        return _EMPTY
    if column.dtype.is_temporal():
        return _DATES
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return _LISTS
    distinct = known.n_unique()
    if distinct == 1 and len(known) > 1:
        return _CONSTANT
    if column.dtype == pl.String and len(known) > _FEWEST_NAMES and distinct > _NAMES_ROWS * len(known):
        return _NAMES
    return _NOT_NAMED
