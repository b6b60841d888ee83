"""From the cells of a sheet to a table: where its header stands, what its columns are, and what is no value."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, is_number_text, shorten
from polyclinic.formats.columns.headers import TableCells, named, without_index
from polyclinic.formats.columns.mixed import as_displayed, mixed_cells
from polyclinic.formats.sheets.office_zip import SheetMarks
from polyclinic.formats.sheets.workbook import Cell, Sheet
from polyclinic.formats.unreadable import unreadable

_MOST_TITLES = 10
"""Rows above a header: a sheet has one to five; where there are more, the study file names the row."""

_ERRORS = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#NV"})
_DAY_0 = dt.date(1899, 12, 31)
"""The day that a workbook counts as 0: what it shows as a time alone is, among days, a moment of it."""
_EXACT = 2**53
"""Whole numbers beyond are not all stored."""


def sheet_table(sheet: Sheet, header: int | None, table: str) -> TableCells:
    """The table in a sheet: below titles and empty rows, right of empty columns.

    Args:
        sheet: Its cells.
        header: Row with the names of the columns, the first is 1; None = the first that can be one.
        table: The user's word for the table.

    Raises:
        CohortError: no cells, no such header, two columns of the same name.
    """
    at = _header(sheet.rows, table) if header is None else header - 1
    body = [(number, row) for number, row in enumerate(sheet.rows) if number > at and any(map(_filled, row))]
    if at >= len(sheet.rows) or not body:
        raise unreadable(table, "must hold a header and rows of patients", "it does not", "Name the row as header.")
    columns = [
        number
        for number in range(len(sheet.rows[at]))
        if _filled(sheet.rows[at][number]) or any(_filled(row[number]) for _, row in body)
    ]
    names = [(as_displayed(sheet.rows[at][number]) or "").strip() for number in columns]
    filled = named(names, table)
    values = {name: _values([row[at] for _, row in body]) for name, at in zip(filled, columns, strict=True)}
    cells = without_index(mixed_cells(values, table), names, table)
    places = dict(zip(columns, filled, strict=True))
    titles = sum(any(map(_filled, row)) for row in sheet.rows[:at])
    notes = [
        *sheet.notes,
        *([_titles(table, titles)] if titles and header is None else []),
        *_errors(sheet, body, places, table),
        *_unseen(sheet.marks, table),
        *_numbers_as_text(cells, table),
    ]
    return TableCells(cells.frame, (*notes, *cells.notes), cells.declared)


def _header(rows: Sequence[Sequence[Cell]], table: str) -> int:
    """The first row that is no title: a title fills at most half of a row, and a row of words follows."""
    filled = [number for number, row in enumerate(rows) if any(map(_filled, row))]
    if not filled:
        raise unreadable(table, "must hold rows of patients", "the sheet is empty", "Name the right sheet.")
    glance = filled[: 5 * _MOST_TITLES]
    width = max(sum(map(_filled, rows[number])) for number in glance)
    left = min(next(at for at, cell in enumerate(rows[number]) if _filled(cell)) for number in glance)
    for number in filled[:_MOST_TITLES]:
        many = sum(map(_filled, rows[number]))
        if many > max(1, width // 2) or (width <= 2 and not _filled(rows[number][left])):
            words = all(isinstance(cell, str) for cell in rows[number] if _filled(cell))
            return number if words else filled[0]
    return filled[0]


def _filled(cell: Cell) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


def _values(cells: Sequence[Cell]) -> list[Any]:
    """The cells of a column; whole numbers, which a workbook stores with decimals, as such."""
    known = [None if not _filled(cell) or _is_error(cell) else cell for cell in cells]
    if any(isinstance(cell, dt.date) for cell in known):
        known = [dt.datetime.combine(_DAY_0, cell) if isinstance(cell, dt.time) else cell for cell in known]
    return [int(cell) if isinstance(cell, float) else cell for cell in known] if _is_whole(known) else known


def _is_whole(cells: Sequence[Cell]) -> bool:
    """Whether all known cells are whole numbers."""
    known = [cell for cell in cells if cell is not None]
    return all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in known) and all(
        cell.is_integer() and abs(cell) < _EXACT for cell in known if isinstance(cell, float)
    )


def _is_error(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.strip().upper() in _ERRORS


def _errors(sheet: Sheet, body: list[tuple[int, list[Cell]]], places: dict[int, str], table: str) -> Iterator[Finding]:
    """Cells that show an error, by column."""
    for at, name in places.items():
        rows = tuple(
            row
            for row, (number, cells) in enumerate(body, 1)
            if (number, at) in sheet.marks.errors or _is_error(cells[at])
        )
        if rows:
            yield Finding(
                name="error_cells",
                place=f'{table} column "{name}"',
                rule="a cell must hold a value",
                found=f"an error such as #N/A or #DIV/0! in {counted(len(rows), 'cell')}",
                remedy="They are read as not known; correct the formulas if they should be known.",
                severity=Severity.WARNING,
                rows=rows,
            )


def _unseen(marks: SheetMarks, table: str) -> Iterator[Finding]:
    """What a look at the sheet does not show."""
    if marks.uncounted:
        rule = "the result of a formula must stand in the file"
        found = f"it does not in {counted(marks.uncounted, 'cell')}"
        remedy = "They are read as not known; open and save the workbook in the program that counts them."
        yield Finding("uncounted_formulas", table, rule, found, remedy, Severity.WARNING)
    if marks.hidden_rows or marks.hidden_columns:
        rows = counted(marks.hidden_rows, "hidden row") if marks.hidden_rows else ""
        columns = "hidden columns" if marks.hidden_columns else ""
        found = " and ".join(part for part in (rows, columns) if part)
        remedy = "They are read like all others; delete them if they are not meant."
        yield Finding("hidden_cells", table, "all cells should be shown", found, remedy, Severity.WARNING)


def _numbers_as_text(cells: TableCells, table: str) -> list[Finding]:
    texts = [column for column in cells.frame if column.dtype == pl.String and column.name in cells.declared]
    names = [column.name for column in texts if bool(is_number_text(column.str.strip_chars()).all())]
    if not names:
        return []
    found = f"they are numbers in {shorten(names)}"
    remedy = "These columns stay text, as names of patients should; turn measurements into numbers in the workbook."
    return [Finding("numbers_as_text", table, "cells of text should hold words", found, remedy, Severity.NOTE)]


def _titles(table: str, many: int) -> Finding:
    rule, found = "the first row should hold the names of the columns", f"{counted(many, 'row')} above it"
    remedy = "They are left out; name the row with header under [cohort] if that is wrong."
    return Finding("title_lines", table, rule, found, remedy, Severity.NOTE)
