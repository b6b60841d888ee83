"""From the path in the study file to a typed table: which format it is, and what came out of it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import plain_types, strip, type_columns
from polyclinic.formats.columns.fingerprint import file_fingerprint
from polyclinic.formats.tables.arff import read_arff
from polyclinic.formats.tables.medmnist import read_medmnist
from polyclinic.formats.text.compressed import TEXT_SUFFIXES, Unpacked, unpack
from polyclinic.formats.text.delimited import Strings, read_delimited, refuse_duplicates
from polyclinic.formats.text.encoding import decode
from polyclinic.study.schema import CohortSection

MISSING_VALUES: tuple[str, ...] = CohortSection.model_fields["missing_values"].default
# polars panics on some damaged files, and a panic is no ordinary exception.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
_ARROW = (".feather", ".arrow", ".ipc")
_OFFERED = ".csv, .tsv, .arff (each also as .gz or .zip), .parquet (a file or a folder), .feather, MedMNIST .npz"


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
    path: Path, *, encoding: str = "utf-8", missing_values: Sequence[str] = MISSING_VALUES, place: str = "table"
) -> TypedTable:
    """Read a table of any format on offer; ``x.zip#inner/y.csv`` names one table inside a zip.

    Raises:
        CohortError: missing file, unknown format, empty or damaged table, wrong encoding, ragged rows.
    """
    path, member = _split_member(path)
    _refuse_absent(path, place)
    try:
        if path.is_dir():
            return _folder(path, missing_values)
        frame, notes = _file(path, member, encoding, missing_values)
        sources = {path.name: file_fingerprint(path)}
    except PermissionError as error:
        raise CohortError(_finding(path.name, "must be readable", "permission denied", "Ask for access.")) from error
    if frame.height == 0 or frame.width == 0:
        raise CohortError(_finding(path.name, "must hold rows of patients", "there are none", "Give the right file."))
    return TypedTable(frame, path.parent, path.name, sources, notes)


def _split_member(path: Path) -> tuple[Path, str | None]:
    text = os.fspath(path)
    if ".zip#" not in text or path.exists():
        return path, None
    file, member = text.split("#", 1)
    return Path(file), member


def _file(
    path: Path, member: str | None, encoding: str, missing_values: Sequence[str]
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_medmnist(path), ()
    if suffix == ".parquet":
        return _declared(path, lambda p: pl.read_parquet(p, glob=False, hive_partitioning=False), missing_values), ()
    if suffix in _ARROW:
        return _declared(path, lambda p: pl.read_ipc(p), missing_values), ()
    if suffix not in (*TEXT_SUFFIXES, ".gz", ".zip"):
        raise CohortError(_unknown_format(path))
    unpacked = unpack(path, member)
    if unpacked.suffix not in TEXT_SUFFIXES:
        raise CohortError(_unknown_format(path))
    strings = _strings(unpacked, encoding, path.name)
    return type_columns(strings.frame, missing_values), strings.notes


def _strings(unpacked: Unpacked, encoding: str, table: str) -> Strings:
    text = decode(unpacked.raw, encoding, table)
    if unpacked.suffix == ".arff":
        return read_arff(text, table)
    return read_delimited(text, unpacked.suffix, table)


def _declared(path: Path, read: Callable[[Path], pl.DataFrame], missing_values: Sequence[str]) -> pl.DataFrame:
    """A table whose types stand in the file."""
    try:
        frame = read(path)
    except PermissionError:
        raise
    except _DAMAGE as error:
        rule = f"must be a whole {path.suffix} file"
        raise CohortError(_finding(path.name, rule, "it is damaged or of another format", "Write it again.")) from error
    refuse_duplicates(frame.columns, path.name)
    return strip(plain_types(frame), missing_values)


def _folder(path: Path, missing_values: Sequence[str]) -> TypedTable:
    """A folder of parquet files with the same columns, in the order of their names."""
    files = sorted(file for file in path.rglob("*.parquet") if file.is_file())
    if not files:
        raise CohortError(_finding(path.name, "a folder must hold .parquet files", "it holds none", "Name the file."))
    read = [_file(file, None, "utf-8", missing_values)[0] for file in files]
    findings = [
        _finding(
            f"{path.name}/{file.relative_to(path)}",
            "all files of a folder must have the same columns of the same types",
            f"they differ from those of {files[0].relative_to(path)}",
            "Write the files again with the same columns.",
        )
        for file, frame in zip(files, read, strict=True)
        if frame.schema != read[0].schema
    ]
    if findings:
        raise CohortError(findings)
    frame = pl.concat(read)
    if frame.height == 0:
        raise CohortError(_finding(path.name, "must hold rows of patients", "there are none", "Give the right folder."))
    sources = {str(file.relative_to(path)): file_fingerprint(file) for file in files}
    return TypedTable(frame, path, path.name, sources)


def _refuse_absent(path: Path, place: str) -> None:
    try:
        there = path.exists()
        names = [] if there or not path.parent.is_dir() else sorted(p.name for p in path.parent.iterdir())
    except PermissionError as error:
        raise CohortError(_finding(place, "must be readable", "permission denied", "Ask for access.")) from error
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


def _unknown_format(path: Path) -> Finding:
    return _finding(path.name, f"must be one of {_OFFERED}", f'"{path.name}" is none', "Save the table as csv.")


def _finding(place: str, rule: str, found: str, remedy: str) -> Finding:
    return Finding("unreadable_table", place, rule, found, remedy)
