"""Opening a workbook and choosing its sheet."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.apart.process import read_apart
from polyclinic.formats.columns.column_types import counted, shorten
from polyclinic.formats.sheets.office_zip import SheetMarks
from polyclinic.formats.unreadable import unreadable

Cell = str | float | bool | dt.date | dt.time | dt.timedelta | None
"""What a cell of a sheet holds; None = nothing."""


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Attributes:
        rows: Its cells from the first row and column of the sheet on.
        marks: What stands beside the cells.
        notes: What the user should know about the other sheets.
    """

    rows: list[list[Cell]]
    marks: SheetMarks
    notes: tuple[Finding, ...]


def read_sheet(path: Path, part: str | None, marks: Mapping[str, SheetMarks]) -> Sheet:
    """The sheet that the study names, or the only one with cells that is shown.

    Raises:
        CohortError: a damaged or encrypted file, no such sheet, several that may be meant.
        MissingPackage: python-calamine is not installed.
    """
    book = read_apart("workbooks", "python_calamine", "office", path, *([] if part is None else [part]))
    if book is None:
        rule, found = f"must be a whole {path.suffix} workbook", "it is damaged or of another format"
        raise unreadable(path.name, rule, found, "Save it again, or save the sheet as csv.")
    if "encrypted" in book:
        raise CohortError(_encrypted(path.name))
    if part is not None and part not in book["shown"]:
        raise CohortError(_which(path.name, f'there is no sheet "{part}"', list(book["shown"])))
    if len(book["only"]) != 1:
        found = f"there are {counted(len(book['only']), 'sheet')} with cells"
        raise CohortError(_which(path.name, found, book["only"]))
    [name] = book["only"]
    hidden = [other for other in book["filled"] if other != name]
    notes = (_left_out(path.name, hidden),) if hidden else ()
    rows = [[None if cell == "" else cell for cell in row] for row in book["rows"]]
    return Sheet(rows, marks.get(name, SheetMarks()), notes)


def _encrypted(table: str) -> Finding:
    rule, found = "a workbook must not be encrypted", "it asks for a password"
    remedy = "Save it without a password; a password has no place in a study file."
    return Finding("encrypted_file", table, rule, found, remedy)


def _which(table: str, found: str, sheets: list[str]) -> Finding:
    return Finding(
        name="one_sheet",
        place=table,
        rule="a workbook must hold exactly one table, or the study must say in which sheet it is",
        found=f"{found} ({shorten(sheets) or 'none'})",
        remedy=f'Name it: table = "{table}#{sheets[0]}".' if sheets else "Give the right file.",
    )


def _left_out(table: str, hidden: list[str]) -> Finding:
    found = f"{counted(len(hidden), 'hidden sheet')} with cells ({shorten(hidden)})"
    remedy = f'It is not read; name it if it is the table: "{table}#{hidden[0]}".'
    return Finding("hidden_sheets", table, "all sheets should be shown", found, remedy, Severity.NOTE)
