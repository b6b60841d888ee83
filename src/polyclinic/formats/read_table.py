"""From the path in the study file to a typed table: which format it is, and what came out of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import plain_types, strip, type_columns
from polyclinic.formats.columns.fingerprint import file_fingerprint
from polyclinic.formats.columns.reading import CellReading
from polyclinic.formats.tables.base import TableFormat, TextTable, TypedFile, table_formats, unreadable
from polyclinic.formats.text.compressed import COMPRESSED, unpack
from polyclinic.formats.text.delimited import refuse_duplicates
from polyclinic.formats.text.encoding import decode, likely_encoding
from polyclinic.study.catalogue import broken

_AS_IT_STANDS = CellReading()
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
    """

    frame: pl.DataFrame
    folder: Path
    name: str
    sources: Mapping[str, str]
    notes: tuple[Finding, ...] = ()


def read_table(
    path: Path, *, encoding: str = "utf-8", reading: CellReading = _AS_IT_STANDS, place: str = "table"
) -> TypedTable:
    """Read a table of any format on offer; ``x.zip#inner/y.csv`` names one table inside a zip.

    Raises:
        CohortError: missing file, unknown format, empty or damaged table, wrong encoding, ragged rows.
    """
    path, member = _split_member(path)
    _refuse_absent(path, place)
    try:
        if path.is_dir():
            table = _folder(path, reading)
        else:
            frame, notes = _file(path, member, encoding, reading)
            table = TypedTable(frame, path.parent, path.name, {path.name: file_fingerprint(path)}, notes)
    except PermissionError as error:
        raise unreadable(path.name, "must be readable", "permission denied", "Ask for access.") from error
    if table.frame.height == 0 or table.frame.width == 0:
        remedy = f"Give the right {'folder' if path.is_dir() else 'file'}."
        raise unreadable(path.name, "must hold rows of patients", "there are none", remedy)
    return table


def guess_encoding(path: Path) -> str:
    """The encoding that a table of text is probably written in; for a draft, never for reading."""
    path, member = _split_member(path)
    return likely_encoding(unpack(path, _text_suffixes(), member).raw)


def _split_member(path: Path) -> tuple[Path, str | None]:
    text = os.fspath(path)
    if ".zip#" not in text or path.exists():
        return path, None
    file, member = text.split("#", 1)
    return Path(file), member


def _file(
    path: Path, member: str | None, encoding: str, reading: CellReading
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    if path.suffix.lower() in COMPRESSED:
        unpacked = unpack(path, _text_suffixes(), member)
        inside = _format_of(unpacked.path)
        if not isinstance(inside, TextTable):
            raise _unknown_format(path)
        return _parsed(inside, unpacked.raw, path.name, encoding, reading)
    found = _format_of(path)
    if isinstance(found, TextTable):
        return _parsed(found, path.read_bytes(), path.name, encoding, reading)
    if isinstance(found, TypedFile):
        return _declared(found, path, reading), ()
    raise _unknown_format(path)


def _format_of(path: Path) -> TableFormat | None:
    """The format that the name tells."""
    return next((known for known in table_formats() if known.recognises(path, b"")), None)


def _text_suffixes() -> tuple[str, ...]:
    return tuple(suffix for known in table_formats() if isinstance(known, TextTable) for suffix in known.suffixes)


def _parsed(
    known: TextTable, raw: bytes, table: str, encoding: str, reading: CellReading
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    strings = known.parse(decode(raw, encoding, table), table)
    return type_columns(strings.frame, reading), strings.notes


def _declared(known: TypedFile, path: Path, reading: CellReading) -> pl.DataFrame:
    """A table whose types stand in the file."""
    try:
        frame = known.frame(path)
    except PermissionError:
        raise
    except _DAMAGE as error:
        rule = f"must be a whole {path.suffix} file"
        raise unreadable(path.name, rule, "it is damaged or of another format", "Write it again.") from error
    refuse_duplicates(frame.columns, path.name)
    return strip(plain_types(frame), reading.missing_values)


def _folder(path: Path, reading: CellReading) -> TypedTable:
    """A folder of files with the same columns, in the order of their names."""
    suffixes = [suffix for known in table_formats() if known.in_folders for suffix in known.suffixes]
    files = sorted(file for suffix in suffixes for file in path.rglob(f"*{suffix}") if file.is_file())
    if not files:
        raise unreadable(
            path.name, f"a folder must hold {' or '.join(suffixes)} files", "it holds none", "Name the file."
        )
    frames = [_file(file, None, "utf-8", reading)[0] for file in files]
    findings = [
        finding
        for file, frame in zip(files, frames, strict=True)
        if frame.schema != frames[0].schema
        for finding in _other_columns(path, file, files[0]).findings
    ]
    if findings:
        raise CohortError(findings)
    sources = {str(file.relative_to(path)): file_fingerprint(file) for file in files}
    return TypedTable(pl.concat(frames), path, path.name, sources)


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
        if isinstance(known, TypedFile)
    ]
    rule = f"must be one of {', '.join(texts)} (each also as .gz or .zip), {', '.join(others)}"
    error = unreadable(path.name, rule, f'"{path.name}" is none', "Save the table as csv.")
    return CohortError([*error.findings, *broken("formats.tables").values()])
