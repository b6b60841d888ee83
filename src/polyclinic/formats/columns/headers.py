"""Names of columns: none twice, a number for those without one, and what such a column turns out to be."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import polars as pl

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten

_PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)
_FEWEST_COUNTED = 2
"""One row that says 1 may say anything; two that say 1 and 2 count the rows."""


@dataclass(frozen=True)
class TableCells:
    """A table as its file holds it.

    Attributes:
        frame: The columns; of those that are not declared, the text of the cells, where an empty one may be null.
        notes: What the user should know about how it was read.
        declared: Columns whose type stands in the file. The others are typed later, from the whole column.
        nominal: Columns that the file declares to be names of something, though they may look like numbers.
    """

    frame: pl.DataFrame
    notes: tuple[Finding, ...] = ()
    declared: frozenset[str] = frozenset()
    nominal: frozenset[str] = frozenset()


def named(names: Sequence[str], table: str) -> list[str]:
    """The names of all columns: ``column_<number>`` for those that have none.

    Raises:
        CohortError: if two columns have the same name, or one holds half a character.
    """
    refuse_half_characters(names, table)
    filled = [name or f"column_{number}" for number, name in enumerate(names, 1)]
    refuse_duplicates(filled, table)
    return filled


def half_character(text: str) -> bool:
    """Whether a text holds one half of a pair that writes one character in UTF-16, and so is no text."""
    return any("\ud800" <= sign <= "\udfff" for sign in text) if not text.isascii() else False


def refuse_half_characters(names: Sequence[str], table: str) -> None:
    """Raise if a name holds half a character; it cannot even be printed, so the number of the column is told."""
    columns = [str(number) for number, name in enumerate(names, 1) if half_character(name)]
    if columns:
        found = f"half a character in that of {'column' if len(columns) == 1 else 'columns'} {shorten(columns, 8)}"
        rule, remedy = "a name must be whole characters", "Write the names again, in UTF-8."
        raise CohortError(Finding("half_character", table, rule, found, remedy))


def refuse_duplicates(names: list[str], table: str) -> None:
    """Raise if two columns have the same name."""
    twice = sorted(name for name, many in Counter(names).items() if many > 1)
    if not twice:
        return
    columns = [number for number, name in enumerate(names, 1) if name in twice]
    raise CohortError(
        Finding(
            name="duplicate_header",
            place=table,
            rule="every column must have a name of its own",
            found=f"these stand twice or more: {shorten(twice, 5)} "
            f"(columns {', '.join(map(str, columns[:8]))}{' ...' if len(columns) > 8 else ''})",
            remedy="Rename the columns, or leave the copies out.",
        )
    )


def plain_names(cells: TableCells, table: str) -> TableCells:
    """The same table where a column called "*" or "^a$", a pattern for names to polars, is ``column_<number>``."""
    taken = set(cells.frame.columns)
    new: dict[str, str] = {}
    for number, name in enumerate(cells.frame.columns, 1):
        if _PATTERN.fullmatch(name):
            new[name] = next(free for more in count() if (free := f"column_{number}{'_' * more}") not in taken)
    if not new:
        return cells
    names = [new.get(name, name) for name in cells.frame.columns]
    frame = pl.DataFrame([column.alias(name) for column, name in zip(cells.frame, names, strict=True)])
    declared, nominal = (frozenset(new.get(name, name) for name in said) for said in (cells.declared, cells.nominal))
    return TableCells(frame, (*cells.notes, _patterns(table, list(new.values()))), declared, nominal)


def without_index(cells: TableCells, names: Sequence[str], table: str) -> TableCells:
    """The same table without what stands under no name and says nothing: empty columns, and a count of the rows.

    Args:
        cells: The table, every column with a name.
        names: The names as they stand in the file, "" where there is none.
        table: The user's word for the table.
    """
    unnamed = [column for column, name in zip(cells.frame, names, strict=True) if not name]
    empty = [column.name for column in unnamed if _is_empty(column)]
    index = [column.name for column in unnamed[:1] if not names[0] and _counts_rows(column)]
    left = len(unnamed) - len(empty) - len(index)
    notes = [
        *([_empty_columns(table, len(empty))] if empty else []),
        *([_index_column(table)] if index else []),
        *([_unnamed(table, left)] if left else []),
    ]
    dropped = {*empty, *index}
    frame = pl.DataFrame([column for column in cells.frame if column.name not in dropped])
    return TableCells(frame, (*cells.notes, *notes), cells.declared - dropped, cells.nominal - dropped)


def _is_empty(column: pl.Series) -> bool:
    """Whether no cell is known; no look by polars at each, for there may be 100,000 columns."""
    if column.dtype == pl.String:
        return all(not (cell or "").strip() for cell in column)
    return column.null_count() == len(column)


def _counts_rows(column: pl.Series) -> bool:
    """Whether the cells are 0, 1, 2, ... or 1, 2, 3, ... to the last row."""
    rows = len(column)
    if rows < _FEWEST_COUNTED or not (column.dtype == pl.String or column.dtype.is_numeric()):
        return False
    numbers = column.cast(pl.Float64, strict=False).to_numpy()
    return any(np.array_equal(numbers, np.arange(first, first + rows)) for first in (0, 1))


def _unnamed(table: str, many: int) -> Finding:
    found, remedy = f"none for {counted(many, 'column')}", "They are called column_<number> here."
    return Finding("unnamed_column", table, "every column should have a name", found, remedy, Severity.NOTE)


def _patterns(table: str, names: list[str]) -> Finding:
    found = f"{counted(len(names), 'column')} whose name is, as * is, or one that begins with ^ and ends with $"
    remedy = f"They are called {shorten(names, 5)} here; rename them if they matter."
    return Finding("pattern_name", table, "a name should be no pattern for names", found, remedy, Severity.NOTE)


def _empty_columns(table: str, many: int) -> Finding:
    rule, found = "every column should have a name and cells", f"{counted(many, 'column')} with neither"
    return Finding("empty_column", table, rule, found, "They are left out.", Severity.NOTE)


def _index_column(table: str) -> Finding:
    found = "the first column has no name and counts the rows, as programs write it beside a table"
    remedy = 'It is left out; give it a name if it means something, or write patient = "row".'
    return Finding("index_column", table, "every column should have a name", found, remedy, Severity.NOTE)
