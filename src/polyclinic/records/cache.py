"""Decoded records kept in one file, so that each is decoded once: memory-mapped, checked, and rebuilt if damaged.

A cache file is a name line, the arrays one after another, and an index with a checksum. It is written under another
name and renamed when complete: whoever finds the name finds the whole. No torch, no pickle.
"""

import contextlib
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from polyclinic.errors import Finding, ReadError

_MAGIC = b"polyclinic records 1\n"
_FOOTER = struct.Struct("<QQII")  # where the index starts, its length, checksum of the arrays, checksum of the index
_ALIGN = 8
"""Bytes of the largest number type: an array must start at a multiple to be viewed in place."""
_CHUNK = 1 << 24
"""Bytes that are checked at a time: bounds what is read of a mapped file at once; a round number."""


@dataclass(frozen=True)
class RaggedArray:
    """Arrays of any shapes and number types in one stretch of memory or of a file, each with a note.

    Attributes:
        content: All arrays one after another.
        start: First byte of each.
        shape: Shape of each.
        dtype: Number type of each, in numpy's short form.
        note: A text of the reader's own about each.
    """

    content: UInt8[np.ndarray, " byte"]
    start: Int[np.ndarray, " record"]
    shape: tuple[tuple[int, ...], ...]
    dtype: tuple[str, ...]
    note: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, position: int) -> Shaped[np.ndarray, "..."]:
        """One array, as a view: nothing is copied."""
        dtype, shape = np.dtype(self.dtype[position]), self.shape[position]
        first = int(self.start[position])
        return self.content[first : first + _bytes(shape, dtype)].view(dtype).reshape(shape)

    def stacked(self) -> Shaped[np.ndarray, "record ..."]:
        """All arrays as one, as a view; they must be of one shape and type."""
        dtype, shape = np.dtype(self.dtype[0]), self.shape[0]
        assert set(self.shape) == {shape}
        assert set(self.dtype) == {self.dtype[0]}
        whole = self.content[: len(self) * _bytes(shape, dtype)]
        return whole.view(dtype).reshape(len(self), *shape)


Record = tuple[Shaped[np.ndarray, "..."], str]
"""An array and its note."""


def gather(records: Iterable[Record]) -> RaggedArray:
    """Records kept in memory."""
    index = _Index()
    content = bytearray()
    for array, note in records:
        for piece in index.add(array, note):
            content += piece
    return index.close(np.frombuffer(content, dtype=np.uint8))


def keep(folder: Path | None, key: str, make: Callable[[], Iterable[Record]]) -> RaggedArray:
    """Records kept under ``key`` in ``folder``; made and written if they are not there yet or damaged.

    Args:
        folder: Made if it does not exist; None = keep in memory.
        key: Digest of everything the records depend on: content of the files, options, version of the reader.
        make: Gives the records; called at most once.

    Raises:
        ReadError: if the folder cannot be written, for example because the disk is full.
    """
    if folder is None:
        return gather(make())
    path = folder / f"{key}.records"
    found = _open(path)
    if found is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, make())
    except OSError as error:
        raise ReadError(_unwritable(error)) from error
    written = _open(path)
    if written is None:
        raise ReadError(_unwritable(OSError("it reads back differently")))
    return written


class _Index:
    """Where each record lies. Arrays of one shape and type lie without gaps, so that they stack."""

    def __init__(self) -> None:
        self.end = 0
        self.start: list[int] = []
        self.shape: list[tuple[int, ...]] = []
        self.dtype: list[str] = []
        self.note: list[str] = []

    def add(self, array: Shaped[np.ndarray, "..."], note: str) -> Iterator[memoryview | bytes]:
        """Note a record and give the bytes to append."""
        gap = -self.end % max(array.dtype.itemsize, 1)
        self.start.append(self.end + gap)
        self.shape.append(tuple(array.shape))
        self.dtype.append(array.dtype.str)
        self.note.append(note)
        self.end += gap + array.nbytes
        yield bytes(gap)
        if array.size:
            yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data

    def close(self, content: UInt8[np.ndarray, " byte"]) -> RaggedArray:
        start = np.array(self.start, dtype=np.int64)
        return RaggedArray(content, start, tuple(self.shape), tuple(self.dtype), tuple(self.note))

    def document(self) -> bytes:
        return json.dumps([self.start, self.shape, self.dtype, self.note]).encode()


def _write(path: Path, records: Iterable[Record]) -> None:
    """Write beside the name and rename: a killed run leaves a scrap, never half a file under the name."""
    descriptor, scrap = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _stream(stream, records)
            stream.flush()
            os.fsync(stream.fileno())
        Path(scrap).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(scrap).unlink()
        raise


def _stream(stream: BinaryIO, records: Iterable[Record]) -> None:
    index, checksum = _Index(), 0
    stream.write(_MAGIC.ljust(_align(len(_MAGIC)), b"\n"))
    for array, note in records:
        for piece in index.add(array, note):
            stream.write(piece)
            checksum = zlib.crc32(piece, checksum)
    document = index.document()
    stream.write(document)
    stream.write(_FOOTER.pack(_align(len(_MAGIC)) + index.end, len(document), checksum, zlib.crc32(document)))


def _open(path: Path) -> RaggedArray | None:
    """What the file holds, or None if there is none or it is damaged."""
    try:
        raw = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError):  # none, unreadable, or empty (a ValueError of numpy): it will be made again
        return None
    first = _align(len(_MAGIC))
    if raw.size < first + _FOOTER.size or raw[: len(_MAGIC)].tobytes() != _MAGIC:
        return None
    end, length, checksum, of_index = _FOOTER.unpack(raw[-_FOOTER.size :].tobytes())
    if end < first or end + length + _FOOTER.size != raw.size:
        return None
    document = raw[end : end + length].tobytes()
    if zlib.crc32(document) != of_index or _checksum(raw[first:end]) != checksum:
        return None
    start, shape, dtype, note = json.loads(document)
    shapes = tuple(tuple(int(n) for n in one) for one in shape)
    return RaggedArray(raw[first:end], np.array(start, dtype=np.int64), shapes, tuple(dtype), tuple(note))


def _checksum(content: UInt8[np.ndarray, " byte"]) -> int:
    checksum = 0
    for first in range(0, content.size, _CHUNK):
        checksum = zlib.crc32(content[first : first + _CHUNK].data, checksum)
    return checksum


def _align(length: int) -> int:
    return length + -length % _ALIGN


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return dtype.itemsize * int(np.prod(shape, dtype=np.int64))


def _unwritable(error: OSError) -> Finding:
    return Finding(
        name="cache_unwritable",
        place="folder for decoded records",
        rule="it must be writable and have room",
        found=error.strerror or str(error),
        remedy="Free some space, or choose another folder.",
    )
