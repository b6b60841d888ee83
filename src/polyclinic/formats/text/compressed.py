"""Opening a table that may be compressed, with a bound on what comes out of it."""

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from polyclinic.errors import CohortError, Finding

COMPRESSED = (".gz", ".zip")
"""Endings of files in which a table of text may lie."""

# A bomb is told by both: text tables compress 5 to 50 times, and small ones may compress more without harm.
MOST_BYTES = 8 * 2**30
HARMLESS_BYTES = 64 * 2**20
MOST_RATIO = 200


@dataclass(frozen=True)
class Unpacked:
    """The bytes of a text table and the name that tells its format.

    Attributes:
        raw: The content, decompressed.
        path: The file, or the file inside it.
    """

    raw: bytes
    path: Path


def unpack(path: Path, suffixes: Sequence[str], member: str | None = None) -> Unpacked:
    """The content of a text table, from a plain, .gz or .zip file.

    Args:
        path: The file.
        suffixes: How files in a zip are called that are tables.
        member: Name of one file inside a zip; None = the only table.

    Raises:
        CohortError: if the file is damaged, encrypted, would grow beyond reason, or a zip holds several tables.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".zip":
            return _from_zip(path, suffixes, member)
        if suffix == ".gz":
            with gzip.open(path) as stream:
                return Unpacked(bounded(stream.read, path.stat().st_size, path.name), Path(path.stem))
    except (OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise CohortError(_damaged(path)) from error
    return Unpacked(path.read_bytes(), path)


def _from_zip(path: Path, suffixes: Sequence[str], member: str | None) -> Unpacked:
    with zipfile.ZipFile(path) as archive:
        tables = [name for name in archive.namelist() if _is_table(PurePosixPath(name), suffixes)]
        wanted = _choose(path, tables, suffixes, member)
        entry = archive.getinfo(wanted)
        if entry.flag_bits & 1:
            raise CohortError(_encrypted(path))
        with archive.open(entry) as stream:
            raw = bounded(stream.read, entry.compress_size, path.name)
    return Unpacked(raw, Path(wanted))


def _is_table(name: PurePosixPath, suffixes: Sequence[str]) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return not hidden and name.suffix.lower() in suffixes


def _choose(path: Path, tables: list[str], suffixes: Sequence[str], member: str | None) -> str:
    if member is not None and member in tables:
        return member
    if member is None and len(tables) == 1:
        return tables[0]
    listed = ", ".join(tables[:8]) or "none"
    example = f'"{path.name}#{tables[0]}"' if tables else f"a zip that holds one table ({', '.join(suffixes)})"
    raise CohortError(
        Finding(
            name="one_table",
            place=path.name,
            rule="a zip must hold exactly one table, or the study must say which one",
            found=f"it holds {len(tables)} ({listed})"
            if member is None
            else f'it holds no table "{member}" ({listed})',
            remedy=f"Name it: table = {example}." if tables else f"Give {example}.",
        )
    )


def bounded(read: Callable[[int], bytes], packed: int, name: str) -> bytes:
    """Everything in the stream, unless it grows beyond reason: read in pieces, so that a bomb never fills memory."""
    whole = io.BytesIO()
    while piece := read(2**22):
        whole.write(piece)
        grown = whole.tell()
        if grown > MOST_BYTES or (grown > HARMLESS_BYTES and grown > MOST_RATIO * packed):
            raise CohortError(_bomb(name))
    return whole.getvalue()


def _bomb(name: str) -> Finding:
    return Finding(
        name="zip_bomb",
        place=name,
        rule=f"a compressed table may grow at most {MOST_RATIO} times, and to {MOST_BYTES // 2**30} GiB",
        found="it grows beyond that, as a decompression bomb does",
        remedy="Decompress it yourself if you trust its origin, or convert it to parquet.",
    )


def _damaged(path: Path) -> Finding:
    return Finding(
        name="damaged_file",
        place=path.name,
        rule=f"must be a whole {path.suffix} file",
        found="it cannot be opened: damaged, truncated, or compressed in a way that is not supported",
        remedy="Copy it again from its origin and compare the sizes.",
    )


def _encrypted(path: Path) -> Finding:
    return Finding(
        name="encrypted_file",
        place=path.name,
        rule="a zip must not be encrypted",
        found="it asks for a password",
        remedy="Decrypt it first; a password has no place in a study file.",
    )
