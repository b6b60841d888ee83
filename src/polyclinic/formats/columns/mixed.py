"""Columns of cells that each have a type of their own, as in a workbook, a list of records or a database."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import LARGEST_EXACT, counted
from polyclinic.formats.columns.headers import TableCells, half_character, refuse_half_characters

_LARGEST = 2**63 - 1
"""The largest whole number that a column holds; a longer one is an identifier, and stays text."""


def mixed_cells(columns: Mapping[str, Sequence[Any]], table: str) -> TableCells:
    """A table from Python values, None where nothing is known.

    A column whose known cells are all of one type is declared to be of it. One of several types becomes the text of its
    cells and is typed later, like text from anywhere: so ages among which stands one "NA" are ages.

    Raises:
        CohortError: if cells hold lists or records, or names or cells half a character.
    """
    refuse_half_characters(list(columns), table)
    nested = [_nested(name, values, table) for name, values in columns.items() if _any_of(values, (dict, list))]
    halves = [finding for name, values in columns.items() for finding in _halves(name, values, table)]
    if nested or halves:
        raise CohortError([*nested, *halves])
    binary = [name for name, values in columns.items() if _any_of(values, (bytes, bytearray, memoryview))]
    found = {name: _column(name, values) for name, values in columns.items() if name not in binary}
    declared = frozenset(name for name, (_, is_declared) in found.items() if is_declared)
    notes = (_binary(table, len(binary)),) if binary else ()
    return TableCells(pl.DataFrame([column for column, _ in found.values()]), notes, declared)


def as_displayed(value: object) -> str | None:
    """A cell as text: 12 for a number that is stored as 12.0, a day without the midnight it is stored with."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST:
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)


def _any_of(values: Iterable[object], kinds: tuple[type, ...]) -> bool:
    return any(isinstance(value, kinds) for value in values)


def _column(name: str, values: Sequence[Any]) -> tuple[pl.Series, bool]:
    """The column, and whether its cells are all of one type."""
    types = {type(value) for value in values if value is not None}
    for members, build in _BUILT:
        if types and types <= members:
            return build(name, values), True
    return _text(name, values), False


def _text(name: str, values: Sequence[Any]) -> pl.Series:
    return pl.Series(name, [as_displayed(value) for value in values], dtype=pl.String)


def _truths(name: str, values: Sequence[Any]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Boolean)


def _whole(name: str, values: Sequence[Any]) -> pl.Series:
    if any(value is not None and abs(value) > _LARGEST for value in values):
        return _text(name, values)
    return pl.Series(name, values, dtype=pl.Int64)


def _numbers(name: str, values: Sequence[Any]) -> pl.Series:
    if any(map(_is_long, values)):
        whole = all(value is None or value == int(value) for value in values)
        exact = [int(value) if whole and value is not None else value for value in values]
        return _whole(name, exact) if whole else _text(name, values)
    return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)


def _is_long(value: float | Decimal | None) -> bool:
    """Whether a whole number has more digits than a float holds, as an identifier may."""
    if isinstance(value, Decimal) and not (value.is_finite() and value == int(value)):
        return False
    return isinstance(value, (int, Decimal)) and abs(value) > LARGEST_EXACT


def _days(name: str, values: Sequence[Any]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Date)


def _moments(name: str, values: Sequence[Any]) -> pl.Series:
    return pl.Series(name, [_moment(value) for value in values], dtype=pl.Datetime("us"))


def _moment(value: dt.date | None) -> dt.datetime | None:
    """A day as its first moment; a moment of a time zone as that of Greenwich."""
    if isinstance(value, dt.datetime):
        return value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
    return None if value is None else dt.datetime.combine(value, dt.time())


_BUILT: tuple[tuple[set[type], Callable[[str, Sequence[Any]], pl.Series]], ...] = (
    ({str}, _text),
    ({bool}, _truths),
    ({int}, _whole),
    ({int, float, Decimal}, _numbers),
    ({dt.date}, _days),
    ({dt.date, dt.datetime}, _moments),
)
"""What the known cells of a column may be, and how the column is made of them."""


def _nested(name: str, values: Sequence[object], table: str) -> Finding:
    rows = tuple(row for row, value in enumerate(values, 1) if isinstance(value, (dict, list)))
    return Finding(
        name="nested_cells",
        place=f'{table} column "{name}"',
        rule="a cell must be a number, a text, a date, true or false",
        found=f"lists or records in {counted(len(rows), 'cell')}",
        remedy="Write each part into a column of its own.",
        rows=rows,
    )


def _halves(name: str, values: Sequence[object], table: str) -> Iterator[Finding]:
    """The finding for cells that are no text, for polars and UTF-8 cannot hold them."""
    rows = tuple(row for row, value in enumerate(values, 1) if isinstance(value, str) and half_character(value))
    if rows:
        yield Finding(
            name="half_character",
            place=f'{table} column "{name}"',
            rule="a text must be whole characters",
            found=f"half a character in {counted(len(rows), 'cell')}",
            remedy="Write these cells again, in UTF-8.",
            rows=rows,
        )


def _binary(table: str, many: int) -> Finding:
    found = f"{counted(many, 'column')} of bytes"
    rule = "a cell must be a number, a text, a date, true or false"
    return Finding("binary_column", table, rule, found, "They are left out.", Severity.WARNING)
