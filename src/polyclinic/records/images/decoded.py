"""Cells of an image column to decoded images: each distinct file once, kept in the cache, with its faults. No torch."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from polyclinic.errors import Finding, ReadError
from polyclinic.formats.base import versions
from polyclinic.formats.images.base import Window, image_formats
from polyclinic.formats.pictures import archive
from polyclinic.formats.pictures.frame import FileProperties, Frame
from polyclinic.formats.read_image import read_image
from polyclinic.records.cache import RaggedArray, Record, keep

_NOTHING = np.zeros((0, 0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class Problem:
    """Why one file could not be used. Equal problems of several rows make one finding."""

    name: str
    rule: str
    found: str
    remedy: str


@dataclass(frozen=True)
class Decoded:
    """The images of a column. Rows that name the same file share one entry.

    Attributes:
        images: Pixels of each distinct readable or unreadable file; an unreadable one has none.
        entry: Which of ``images`` each row has, -1 where the cell is empty or the file was unusable.
        low: Pixel value shown black, by entry.
        high: Pixel value shown white, by entry.
        blank: Whether all pixels are the same, by entry.
        facts: Properties of the file, by entry; None where unusable.
        problem: What went wrong, by row; None where nothing did.
        key: Digest of all content and of the version of the readers.
    """

    images: RaggedArray
    entry: Int[np.ndarray, " sample"]
    low: tuple[float, ...]
    high: tuple[float, ...]
    blank: tuple[bool, ...]
    facts: tuple[FileProperties | None, ...]
    problem: tuple[Problem | None, ...]
    key: str

    def __len__(self) -> int:
        return len(self.entry)

    def frame(self, row: int) -> Frame | None:
        """The image of one row, or None where there is none."""
        entry = int(self.entry[row])
        facts = self.facts[entry] if entry >= 0 else None
        if facts is None:
            return None
        return Frame(self.images[entry], self.low[entry], self.high[entry], facts)


def decode(cells: Sequence[str | None], folder: Path, cache: Path | None = None, window: Window = "file") -> Decoded:
    """Read every image that a column names.

    Args:
        cells: Paths relative to ``folder`` (or absolute), or ``file.npz#array[index]``; None = no image.
        folder: Folder of the user's table.
        cache: Where decoded images are kept, or None for memory.
        window: What becomes black and white in DICOM images.

    Raises:
        ReadError: if the cache cannot be written. Unusable files are told in ``problem``.
        MissingPackage: if a package that reads one of the formats is not installed.
    """
    distinct = list(dict.fromkeys(cell for cell in cells if cell))
    shelf = _Shelf(folder, window)
    key = shelf.digest(distinct)
    images = keep(cache, key, lambda: shelf.records(distinct))
    notes = [json.loads(note) for note in images.note]
    problems = [Problem(**note["problem"]) if "problem" in note else None for note in notes]
    place = {cell: number for number, cell in enumerate(distinct)}
    entry = np.array([place[cell] if cell else -1 for cell in cells], dtype=np.int64)
    by_row = tuple(problems[number] if number >= 0 else None for number in entry)
    usable = np.array([problem is None for problem in by_row], dtype=bool)
    return Decoded(
        images,
        np.where(usable, entry, -1),
        tuple(float(note.get("low", 0)) for note in notes),
        tuple(float(note.get("high", 1)) for note in notes),
        tuple(bool(note.get("blank", False)) for note in notes),
        tuple(_facts(note["facts"]) if "facts" in note else None for note in notes),
        by_row,
        key,
    )


class _Shelf:
    """Opens the files of one column; an archive stays open while its images are taken."""

    def __init__(self, folder: Path, window: Window) -> None:
        self.folder, self.window = folder, window
        self.arrays: dict[tuple[str, str], Shaped[np.ndarray, "sample ..."] | ReadError] = {}

    def digest(self, cells: Sequence[str]) -> str:
        """One digest of the content of all files, of the window, and of the version of the readers."""
        readers = f"decode 2 {versions(image_formats())} archive {archive.VERSION}"
        total = hashlib.blake2b(f"{readers} {self.window!r}".encode(), digest_size=20)
        files: dict[str, bytes] = {}
        for cell in cells:
            address = archive.parse(cell)
            file = address.file if address else cell
            if file not in files:
                files[file] = _digest(self.folder / file)
            total.update(files[file])
            if address:
                total.update(f"{address.array}[{address.index}]".encode())
        return total.hexdigest()

    def records(self, cells: Sequence[str]) -> Iterator[Record]:
        """Pixels and note of each cell, in order; an unusable file gives no pixels and the reason."""
        for cell in cells:
            try:
                frame = self._frame(cell)
            except ReadError as error:
                yield _NOTHING, json.dumps({"problem": asdict(_problem(error.findings[0]))})
            else:
                pixels = _plain(frame.pixels)
                note = {"low": frame.low, "high": frame.high, "facts": asdict(frame.facts)}
                yield pixels, json.dumps(note | {"blank": bool(pixels.min() == pixels.max())})

    def _frame(self, cell: str) -> Frame:
        address = archive.parse(cell)
        if address is not None:
            return archive.take(self._array(address), address.index)
        return read_image(self.folder / cell, self.window)

    def _array(self, address: archive.Address) -> Shaped[np.ndarray, "sample ..."]:
        """The array, read once; one that cannot be read fails for each of its images, and is tried only once."""
        name = (address.file, address.array)
        if name not in self.arrays:
            try:
                self.arrays[name] = archive.open_array(self.folder / address.file, address.array)
            except ReadError as error:
                self.arrays[name] = error
        found = self.arrays[name]
        if isinstance(found, ReadError):
            raise ReadError(found.findings)  # a new one: the same one would grow with every image
        return found


def _facts(told: dict[str, Any]) -> FileProperties:
    spacing = told["spacing"]
    return FileProperties(**(told | {"spacing": None if spacing is None else (spacing[0], spacing[1])}))


def _plain(pixels: Shaped[np.ndarray, "height width channel"]) -> Shaped[np.ndarray, "height width _"]:
    """Grey in colour's clothes (three equal channels) as what it is, so that equal images have equal pixels."""
    if pixels.shape[2] != 3 or (pixels[0, 0] != pixels[0, 0, 0]).any():
        return pixels
    grey = bool((pixels == pixels[:, :, :1]).all())
    return pixels[:, :, :1] if grey else pixels


def _digest(path: Path) -> bytes:
    """Digest of a file's content; of a file that cannot be opened, of that fact."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).digest()
    except OSError as error:
        return f"unreadable {error.errno}".encode()


def _problem(finding: Finding) -> Problem:
    return Problem(finding.name, finding.rule, finding.found, finding.remedy)
