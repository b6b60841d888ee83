"""From the path in the study file to a typed table: which format it is, and what came out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import plain_types
from polyclinic.formats.columns.fingerprint import file_fingerprint, frame_fingerprint
from polyclinic.formats.columns.headers import TableCells, plain_names, refuse_duplicates
from polyclinic.formats.columns.laboratory import ColumnReading
from polyclinic.formats.columns.read_columns import read_columns
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.databases.database import Database
from polyclinic.formats.table_address import TableAddress, find_address
from polyclinic.formats.tables.base import CellFile, TableFormat, TextTable, TypedFile, table_formats
from polyclinic.formats.text.compressed import COMPRESSED, unpack
from polyclinic.formats.text.encoding import decode, likely_encoding
from polyclinic.formats.unreadable import unreadable
from polyclinic.study.catalogue import broken

_AS_IT_STANDS = TableReading()
_HERE = Path()
# polars panics on some damaged files, and a panic is no ordinary exception.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True)
class TypedTable:
    """A table as it lies in the user's file.

    Attributes:
        frame: Typed columns, all rows.
        folder: Where relative paths in cells start.
        name: The user's word for it, for messages.
        sources: SHA-256 of each source file, by its name.
        notes: What the user should know about how it was read.
        readings: How single columns were read that are not written plainly, by name.
    """

    frame: pl.DataFrame
    folder: Path
    name: str
    sources: Mapping[str, str]
    notes: tuple[Finding, ...] = ()
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)


def read_table(
    table: Path | str, reading: TableReading = _AS_IT_STANDS, *, folder: Path = _HERE, place: str = "table"
) -> TypedTable:
    """Read a table of any format on offer, or from a database.

    Args:
        table: Path or address; "#" and a word after it name a sheet, a table of a database, or a file in a zip.
        reading: What the user says about its layout and its cells.
        folder: Where a relative path starts.
        place: Where the user names the table, for messages.

    Raises:
        CohortError: missing file, unknown format, empty or damaged table, wrong encoding, ragged rows.
        MissingPackage: if the package that reads such a table is not installed.
    """
    address = find_address(table, folder)
    if address.url is not None:
        found = _reached(address, address.url, reading, place)
    else:
        found = _lying(address, reading, place)
    if found.frame.height == 0 or found.frame.width == 0:
        raise unreadable(found.name, "must hold rows of patients", "there are none", "Give the right table.")
    return found


def guess_encoding(path: Path) -> str:
    """The encoding that a table of text is probably written in; for a draft, never for reading."""
    address = find_address(path, _HERE)
    return likely_encoding(unpack(address.path, _text_suffixes(), address.part).raw)


def _reached(address: TableAddress, url: str, reading: TableReading, place: str) -> TypedTable:
    """A table of a database that is reached by its address; it has no file, so its content is its fingerprint."""
    database = Database.named(url, place)
    cells = plain_names(database.content(address.part, reading), database.name)
    columns = read_columns(cells, reading.cells, database.name)
    sources = {database.name: frame_fingerprint(columns.frame)}
    return TypedTable(columns.frame, address.path, database.name, sources, cells.notes, columns.readings)


def _lying(address: TableAddress, reading: TableReading, place: str) -> TypedTable:
    path = address.path
    _refuse_absent(path, place)
    try:
        if path.is_dir():
            files = _files_of(path)
            cells, folder = _joined(path, files, reading), path
            sources = {str(file.relative_to(path)): file_fingerprint(file) for file in files}
        else:
            cells, folder = _file(address, reading), path.parent
            sources = {path.name: file_fingerprint(path)}
        cells = plain_names(cells, path.name)
        columns = read_columns(cells, reading.cells, path.name)
        return TypedTable(columns.frame, folder, path.name, sources, cells.notes, columns.readings)
    except PermissionError as error:
        raise unreadable(path.name, "must be readable", "permission denied", "Ask for access.") from error


def _file(address: TableAddress, reading: TableReading) -> TableCells:
    path, packed, part = address.path, None, address.part
    if path.suffix.lower() in COMPRESSED:
        packed, part = unpack(path, _text_suffixes(), part), None
    known = _format_of(packed.path if packed else path)
    if known is None or (packed and not isinstance(known, TextTable)):
        raise _unknown_format(path)
    if part is not None and not known.in_parts:
        rule = f"a {known.name} file holds one table"
        raise unreadable(path.name, rule, "a part of it is named", "Leave out # and what follows.")
    if isinstance(known, TextTable):
        raw = packed.raw if packed else path.read_bytes()
        cells = known.parse(decode(raw, reading.encoding, path.name), path.name, reading)
    else:
        cells = _declared(known, path, part, reading)
    return replace(cells, notes=(*_idle(known, reading, path.name), *cells.notes))


def _format_of(path: Path) -> TableFormat | None:
    """The format that the name tells."""
    return next((known for known in table_formats() if known.recognises(path, b"")), None)


def _text_suffixes() -> tuple[str, ...]:
    return tuple(suffix for known in table_formats() if isinstance(known, TextTable) for suffix in known.suffixes)


def _declared(known: TableFormat, path: Path, part: str | None, reading: TableReading) -> TableCells:
    """A table whose types stand in the file, or in its cells."""
    try:
        if isinstance(known, CellFile):
            return known.content(path, part, reading)
        assert isinstance(known, TypedFile), f"{type(known).__name__} reads nothing"
        frame = known.frame(path)
    except PermissionError:
        raise
    except _DAMAGE as error:
        rule = f"must be a whole {path.suffix} file"
        raise unreadable(path.name, rule, "it is damaged or of another format", "Write it again.") from error
    refuse_duplicates(frame.columns, path.name)
    return TableCells(frame, declared=frozenset(frame.columns))


def _idle(known: TableFormat, reading: TableReading, table: str) -> tuple[Finding, ...]:
    """What the study says about the layout of a table that has none such."""
    said = {"separator": reading.separator, "header": reading.header, "query": reading.query}
    return tuple(
        Finding(
            name="idle_key",
            place=f"[cohort] {key}",
            rule=f"is not for a {known.name} file",
            found=f"{table} is one, so it does nothing",
            remedy="Leave it out.",
            severity=Severity.WARNING,
        )
        for key, value in said.items()
        if value is not None and key not in known.heeds
    )


def _files_of(path: Path) -> list[Path]:
    """The files of a folder that is one table, in the order of their names."""
    suffixes = [suffix for known in table_formats() if known.in_folders for suffix in known.suffixes]
    files = sorted(file for suffix in suffixes for file in path.rglob(f"*{suffix}") if file.is_file())
    if not files:
        raise unreadable(
            path.name, f"a folder must hold {' or '.join(suffixes)} files", "it holds none", "Name the file."
        )
    return files


def _joined(path: Path, files: list[Path], reading: TableReading) -> TableCells:
    """The rows of all files of a folder, which must have the same columns."""
    parts = [_file(TableAddress(file), reading) for file in files]
    frames = [plain_types(part.frame) for part in parts]
    findings = [
        finding
        for file, frame in zip(files, frames, strict=True)
        if frame.schema != frames[0].schema
        for finding in _other_columns(path, file, files[0]).findings
    ]
    if findings:
        raise CohortError(findings)
    return replace(parts[0], frame=pl.concat(frames))


def _other_columns(folder: Path, file: Path, first: Path) -> CohortError:
    return unreadable(
        f"{folder.name}/{file.relative_to(folder)}",
        "all files of a folder must have the same columns of the same types",
        f"they differ from those of {first.relative_to(folder)}",
        "Write the files again with the same columns.",
    )


def _refuse_absent(path: Path, place: str) -> None:
    try:
        there = path.exists()
        names = [] if there or not path.parent.is_dir() else sorted(p.name for p in path.parent.iterdir())
    except PermissionError as error:
        raise unreadable(place, "must be readable", "permission denied", "Ask for access.") from error
    if there:
        return
    near = get_close_matches(path.name, names, n=1, cutoff=0.6)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    raise CohortError(
        Finding(
            name="missing_file",
            place=place,
            rule="must name a file, relative to the study file",
            found=f"there is no file {path}",
            remedy=f"{hint}Correct the path.",
        )
    )


def _unknown_format(path: Path) -> CohortError:
    texts = [known.name for known in table_formats() if isinstance(known, TextTable)]
    others = [
        f"{known.name} (a file or a folder)" if known.in_folders else known.name
        for known in table_formats()
        if not isinstance(known, TextTable)
    ]
    rule = f"must be one of {', '.join(texts)} (each also as .gz or .zip), {', '.join(others)}"
    error = unreadable(path.name, rule, f'"{path.name}" is none', "Save the table as csv.")
    return CohortError([*error.findings, *broken("formats.tables").values()])
