"""Every column of a table read: plainly where all cells are plain, else as what nearly all of its cells are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import (
    counted,
    is_number_text,
    long_wholes,
    plain_types,
    strip,
    type_columns,
)
from polyclinic.formats.columns.dates import dates_note, read_dates, unreadable_input
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.laboratory import (
    ColumnReading,
    ambiguous_finding,
    infinite_finding,
    long_numbers,
    points_are_open,
    read_laboratory,
)
from polyclinic.formats.columns.missing_words import name_taken_as_missing, signs_as_missing
from polyclinic.formats.columns.numbers import POINTS_OPEN
from polyclinic.formats.columns.reading import CellReading

_CODE_NAME = (
    r"zip( ?code)?|postal ?code|post ?code|plz|postleitzahl|cap|code postal|codigo postal|icd( ?\d+)?( ?code)?"
    r"|(tele)?phone( ?number)?|telefon(nummer)?|tel|fax|mobile|cpt( ?code)?|snomed( ?ct)?( ?(code|id))?"
    r"|ndc( ?code)?|ssn|iban"
    "|\u90ae\u7f16|\u90ae\u653f\u7f16\u7801|\u7535\u8bdd|\u624b\u673a|\u624b\u673a\u53f7"
)
"""Names of columns whose digits count nothing: one cannot add two postal codes."""
_FEWEST_DIGITS = 3
"""Shorter ones are rather counts than codes; a round number."""
_SCIENTIFIC_CODE = r"^[1-9][0-9]*[eE][0-9]+$"
_WHOLE = r"^[0-9]+$"


@dataclass(frozen=True)
class TypedColumns:
    """A table whose columns are typed, with how each column was read that was not plain.

    Attributes:
        frame: All columns, in the order of the table.
        readings: What was done to single columns, what stands in the way, how they are written; by name.
    """

    frame: pl.DataFrame
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)


def read_columns(cells: TableCells, reading: CellReading, table: str) -> TypedColumns:
    """The table with each column as numbers, dates, true or false, or text.

    What a file declares to be text and holds nothing but plain numbers stays text; where other signs stand beside, it
    is text because some program could not read it, and is read as any other text.

    Args:
        cells: As they stand in the file, with what it declares.
        reading: What the study says about the cells, and what columns are for.
        table: The user's word for the table, for messages.
    """
    named = {c.name for c in cells.frame if isinstance(c.dtype, (pl.Categorical, pl.Enum))}
    clean = strip(plain_types(cells.frame), reading)
    said = {name for name in clean.columns if reading.of(name).type == "text"}
    as_text = cells.nominal | named | said
    plain = type_columns(clean, reading, keep=cells.declared | as_text)
    numbers = [column for column in plain if column.dtype.is_numeric() and column.name not in as_text]
    codes = _codes([c for c in numbers if clean[c.name].dtype == pl.String and reading.of(c.name).type is None], clean)
    readings = {
        column.name: found
        for column in plain
        if column.name not in as_text and (found := _read(column, cells, clean, reading, table, codes)) is not None
    }
    columns = [column if (r := readings.get(column.name)) is None or r.values is None else r.values for column in plain]
    return TypedColumns(pl.DataFrame(columns), readings)


def _read(
    column: pl.Series,
    cells: TableCells,
    clean: pl.DataFrame,
    reading: CellReading,
    table: str,
    codes: set[str],
) -> ColumnReading | None:
    """What there is to say about a column that is not plain; None where nothing is."""
    place, text = f'{table} column "{column.name}"', clean[column.name]
    if column.dtype.is_float() and np.isinf(column.to_numpy()).any():
        mask = column.is_infinite()
        return ColumnReading(column.set(mask.fill_null(False), None), (infinite_finding(place, mask),))
    if column.name in reading.uses.words:
        taken = name_taken_as_missing(place, cells.frame[column.name], reading.missing_values)
        return None if taken is None else ColumnReading(None, (taken,))
    if column.name in codes:
        return ColumnReading(text, (_code(place, text),))
    written = column.dtype.is_float() and text.dtype == pl.String and not reading.uses.learned
    if written and points_are_open(set(text.to_list()) - {None}, reading.of(column.name)):
        return ColumnReading(text, (ambiguous_finding(place, column.name, POINTS_OPEN),))
    if column.dtype != pl.String or column.null_count() == len(column):
        return None
    return _read_text(column, table, reading)


def _read_text(column: pl.Series, table: str, reading: CellReading) -> ColumnReading | None:
    """A column of text as dates or numbers, if it is written so; None where it holds words."""
    place, said = f'{table} column "{column.name}"', reading.of(column.name)
    dates = read_dates(column, said.date_format) if said.type is None else None
    if dates is not None:
        findings = dates_note(place, dates) if dates.values is not None else (unreadable_input(place, dates),)
        return ColumnReading(dates.values, findings)
    plain = said.decimal != "," and said.thousands != "."
    if said.type is None and plain and bool(is_number_text(column).all()):  # kept as text on purpose
        long = long_wholes(column)
        return ColumnReading(None, (long_numbers(place, long),)) if bool(long.any()) else None
    return read_laboratory(column, table, said, learned=reading.uses.learned) or signs_as_missing(place, column)


def _codes(numbers: Sequence[pl.Series], clean: pl.DataFrame) -> set[str]:
    """Columns whose digits count nothing: by their name, or because 12E3 stands beside 12000.

    One look at all of them, for there may be 10,000.
    """
    whole, scientific = pl.all().str.contains(_WHOLE), pl.all().str.contains(_SCIENTIFIC_CODE)
    long = ~whole.all() | (pl.all().str.len_chars() >= _FEWEST_DIGITS).any()
    named = [clean[column.name] for column in numbers if _is_code_name(column.name)]
    floats = [clean[c.name] for c in numbers if c.dtype.is_float() and not _is_code_name(c.name)]
    return _where(named, long) | _where(floats, scientific.any() & whole.any() & (scientific | whole).all())


def _where(columns: Sequence[pl.Series], rule: pl.Expr) -> set[str]:
    """The names of the columns that fulfil a rule."""
    found = pl.DataFrame(columns).select(rule) if columns else pl.DataFrame()
    return {name for name in found.columns if found[name].item()}


def _is_code_name(name: str) -> bool:
    words = re.sub(r"[^\w]+|_", " ", name.lower()).strip()
    return re.fullmatch(_CODE_NAME, words) is not None


def _code(place: str, column: pl.Series) -> Finding:
    many = column.drop_nulls().n_unique()
    return Finding(
        name="code_not_number",
        place=place,
        rule="digits that count nothing, as in postal codes, are no numbers",
        found=f"read as {counted(many, 'different word')}",
        remedy='If they are numbers, write type = "number" under [cohort.columns] for it.',
        severity=Severity.NOTE,
    )
