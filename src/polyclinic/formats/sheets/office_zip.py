"""What a workbook says that its cells do not: cells with errors, hidden rows, and how far its cells reach.

An xlsx or ods file is a zip of XML. It is looked through here before a reader makes a grid of it: one cell in the last
corner of a sheet would be a grid of 17 billion cells.

Source: ECMA-376 part 1, 18.3.1.4 (cell: ``r`` its place, ``t="e"`` an error) and 18.3.1.73 (row); OpenDocument 1.3
part 3, 19.677 and 19.679 (cells and rows that are repeated).
"""

import re
import zipfile
import zlib
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePosixPath

from polyclinic.errors import CohortError
from polyclinic.formats.text.compressed import bounded
from polyclinic.formats.unreadable import unreadable

MOST_CELLS = 50_000_000
"""A grid of so many cells needs a gigabyte. A million rows of fifty columns: larger ones are no workbooks."""

# RuntimeError is what zipfile raises for an encrypted member, ValueError for names that are none.
_DAMAGE = (OSError, EOFError, UnicodeDecodeError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile)
_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"([^>]*)>')
_FORMULA_ALONE = re.compile(rb"<c\b[^>]*><f\b[^>]*?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>")
_HIDDEN_ROW = re.compile(rb'<row\b[^>]*\bhidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<col\b[^>]*\bhidden="(?:1|true)"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_REPEATED = re.compile(rb"<table:(table-row|table-cell|covered-table-cell)\b([^>]*)>")
_TIMES = re.compile(rb'table:number-(?:rows|columns)-repeated="([0-9]+)"')


@dataclass(frozen=True)
class SheetMarks:
    """What stands beside the cells of one sheet.

    Attributes:
        errors: Row and column of each cell with an error, counted from 0.
        hidden_rows: How many rows are not shown.
        hidden_columns: How many groups of columns are not shown.
        uncounted: Formulas whose result does not stand in the file.
    """

    errors: frozenset[tuple[int, int]] = frozenset()
    hidden_rows: int = 0
    hidden_columns: int = 0
    uncounted: int = 0


def xlsx_marks(path: Path) -> dict[str, SheetMarks]:
    """The marks of each sheet of an xlsx file, by the name of the sheet.

    Raises:
        CohortError: the file grows beyond reason when it is unpacked, or a sheet reaches too far.
    """
    parts = _unpacked(path)
    sheets = [name for name in parts if name.startswith("xl/worksheets/") and name.endswith(".xml")]
    marks = {name: _sheet_marks(parts[name], path.name) for name in sheets}
    return {sheet: marks[name] for sheet, name in _places(parts).items() if name in marks}


def refuse_vast_ods(path: Path) -> None:
    """Raise if an ods file grows beyond reason when it is unpacked, or its repeated cells do."""
    width = rows = times = reach = 0
    pending = 0
    for found in _REPEATED.finditer(_unpacked(path).get("content.xml", b"")):
        repeated = _TIMES.search(found[2])
        many = int(repeated[1]) if repeated else 1
        if found[1] == b"table-row":
            pending, times, reach = pending + times, many, 0
            continue
        reach += many
        if b"office:value-type" in found[2]:
            width, rows, pending = max(width, reach), rows + pending + times, 0
            times = 0
    _refuse_vast(width * rows, path.name)


def _unpacked(path: Path) -> dict[str, bytes]:
    """The XML in the zip; none where the file is no zip, as one with a password is none: its reader says what it is."""
    if not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            xml = [name for name in archive.namelist() if PurePosixPath(name).suffix in (".xml", ".rels")]
            return {name: _content(archive, name, path) for name in xml}
    except _DAMAGE as error:
        raise unreadable(path.name, "must be a whole workbook", "it is damaged", "Save it again.") from error


def _content(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    with archive.open(name) as stream:
        return bounded(stream.read, path.stat().st_size, path.name)


def _places(parts: dict[str, bytes]) -> dict[str, str]:
    """Which file each sheet stands in."""
    listed = parts.get("xl/_rels/workbook.xml.rels", b"").decode(errors="replace")
    relations = [dict(_ATTRIBUTE.findall(found)) for found in _RELATION.findall(listed)]
    targets = {relation.get("Id"): _target(relation.get("Target", "")) for relation in relations}
    book = parts.get("xl/workbook.xml", b"").decode(errors="replace")
    sheets = [dict(_ATTRIBUTE.findall(found)) for found in _SHEET.findall(book)]
    return {unescape(sheet.get("name", "")): targets.get(sheet.get("r:id"), "") for sheet in sheets}


def _target(stated: str) -> str:
    return stated.removeprefix("/") if stated.startswith("/") else f"xl/{stated}"


def _sheet_marks(content: bytes, table: str) -> SheetMarks:
    rows: list[int] = []
    columns: list[int] = []
    errors = set()
    for column, row, attributes in _CELL.findall(content):
        place = int(row) - 1, _column(column)
        rows.append(place[0])
        columns.append(place[1])
        if b't="e"' in attributes:
            errors.add(place)
    if rows:
        _refuse_vast((max(rows) + 1) * (max(columns) + 1), table)
    return SheetMarks(
        frozenset(errors),
        len(_HIDDEN_ROW.findall(content)),
        len(_HIDDEN_COLUMN.findall(content)),
        len(_FORMULA_ALONE.findall(content)),
    )


def _column(letters: bytes) -> int:
    """A is 0, Z is 25, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _refuse_vast(cells: int, table: str) -> None:
    if cells > MOST_CELLS:
        raise _vast(table)


def _vast(table: str) -> CohortError:
    rule, found = (
        f"a sheet may have {MOST_CELLS:,} cells",
        "its cells reach further, perhaps one far outside",
    )
    return unreadable(table, rule, found, "Delete what stands outside the table, or save it as csv.")
