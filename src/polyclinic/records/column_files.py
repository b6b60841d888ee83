"""The files that a column names: each distinct one decoded once, kept in the cache, with its faults. No torch.

Whatever the files hold, a decoder gives an array and a note of plain JSON for each, or says why it cannot.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int, Shaped

from polyclinic.errors import ReadError
from polyclinic.formats.pictures import archive
from polyclinic.formats.read_scan import content_digest
from polyclinic.records.cache import RaggedArray, Record, keep

Note = dict[str, Any]
"""What a decoder has to say about an array, as JSON has it."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class Fault:
    """Why one file could not be used. Equal faults of several rows make one finding."""

    name: str
    rule: str
    found: str
    remedy: str


@dataclass(frozen=True)
class DecodedFiles:
    """Files as decoded.

    Attributes:
        arrays: One for each; of a file that cannot be used an empty one.
        notes: What the decoder says of each; nothing of one that cannot be used.
        faults: Why it cannot be used, or None.
        key: Digest of the content of all and of the versions of the readers.
    """

    arrays: RaggedArray
    notes: tuple[Note, ...]
    faults: tuple[Fault | None, ...]
    key: str


@dataclass(frozen=True)
class ColumnFiles(DecodedFiles):
    """The distinct files of a column. Rows that name the same file share one entry.

    Attributes:
        entry: Which file each row has, -1 where the cell is empty or the file cannot be used.
        fault: What is wrong with each row's file, None where nothing is.
    """

    entry: Int[np.ndarray, " sample"]
    fault: tuple[Fault | None, ...]

    def __len__(self) -> int:
        return len(self.entry)


def decode_column(
    cells: Sequence[str | None],
    folder: Path,
    cache: Path | None,
    version: str,
    decode: Callable[[str], tuple[Shaped[np.ndarray, "..."], Note]],
    empty: Shaped[np.ndarray, "..."],
) -> ColumnFiles:
    """Decode every file that a column names.

    Args:
        cells: Paths of files or folders, relative to ``folder`` or absolute, or ``file.npz#array[index]``; None = none.
        folder: Folder of the user's table.
        cache: Where what is decoded may be kept, or None for memory.
        version: Of the decoder and of what it is asked for.
        decode: A cell to an array and its note; a ``ReadError`` says why it cannot be used.
        empty: Stands for a file that cannot be used.

    Raises:
        ReadError: if the cache cannot be written.
        MissingPackage: if a package that reads one of the formats is not installed.
    """
    distinct = list(dict.fromkeys(cell for cell in cells if cell))
    decoded = decode_each(distinct, decode, empty, cache, _key(distinct, folder, version))
    number = {cell: position for position, cell in enumerate(distinct)}
    named = np.array([number[cell] if cell else -1 for cell in cells], dtype=np.int64)
    fault = tuple(decoded.faults[entry] if entry >= 0 else None for entry in named)
    usable = np.array([one is None for one in fault], dtype=bool)
    return ColumnFiles(**vars(decoded), entry=np.where(usable, named, -1), fault=fault)


def decode_each(
    items: Sequence[Item],
    decode: Callable[[Item], tuple[Shaped[np.ndarray, "..."], Note]],
    empty: Shaped[np.ndarray, "..."],
    cache: Path | None,
    key: str,
) -> DecodedFiles:
    """Decode what some items name, or take it from the cache; as ``decode_column``, with a ``key`` made elsewhere."""

    def records() -> Iterator[Record]:
        for item in items:
            try:
                array, note = decode(item)
            except ReadError as error:
                first = error.findings[0]
                fault = Fault(first.name, first.rule, first.found, first.remedy)
                yield empty, json.dumps({"fault": asdict(fault)})
            else:
                yield array, json.dumps({"note": note})

    arrays = keep(cache, key, records)
    documents = [json.loads(text) for text in arrays.note]
    notes = tuple(document.get("note", {}) for document in documents)
    faults = tuple(Fault(**document["fault"]) if "fault" in document else None for document in documents)
    return DecodedFiles(arrays, notes, faults, key)


def rows_by_fault(faults: Sequence[Fault | None]) -> dict[Fault, tuple[int, ...]]:
    """The rows of the table, from 1, that have each fault, in the order of their first coming."""
    rows: dict[Fault, list[int]] = {}
    for row, fault in enumerate(faults, start=1):
        if fault is not None:
            rows.setdefault(fault, []).append(row)
    return {fault: tuple(those) for fault, those in rows.items()}


def digest_cell(cell: str, folder: Path, known: dict[str, bytes]) -> bytes:
    """Digest of the content that a cell names; of a file that cannot be opened, of that fact.

    Args:
        cell: A path, or a place in an archive.
        folder: Where relative paths start.
        known: Digests of files seen before: an archive is read once for all its arrays.
    """
    address = archive.parse(cell)
    file = address.file if address else cell
    if file not in known:
        known[file] = content_digest(file, folder)
    return known[file] + (f"{address.array}[{address.index}]".encode() if address else b"")


def _key(cells: Sequence[str], folder: Path, version: str) -> str:
    total = hashlib.blake2b(f"{version} archive {archive.VERSION}".encode(), digest_size=20)
    known: dict[str, bytes] = {}
    for cell in cells:
        total.update(digest_cell(cell, folder, known))
    return total.hexdigest()
