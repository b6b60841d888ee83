"""Cells of an image column to decoded images: each distinct file once, kept in the cache, with its faults. No torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from polyclinic.formats.base import versions
from polyclinic.formats.images.base import Window, image_formats
from polyclinic.formats.pictures import archive
from polyclinic.formats.pictures.frame import FileProperties, Frame
from polyclinic.formats.read_image import read_image
from polyclinic.records.column_files import ColumnFiles, Note, decode_column

_NOTHING = np.zeros((0, 0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class Decoded(ColumnFiles):
    """The images of a column: the arrays are their pixels.

    Attributes:
        low: Pixel value shown black, by entry.
        high: Pixel value shown white, by entry.
        blank: Whether all pixels are the same, by entry.
        facts: Properties of the file, by entry; None where unusable.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    blank: tuple[bool, ...]
    facts: tuple[FileProperties | None, ...]

    def frame(self, row: int) -> Frame | None:
        """The image of one row, or None where there is none."""
        return self.at(int(self.entry[row]))

    def at(self, entry: int) -> Frame | None:
        """The image of one entry, or None where there is none."""
        facts = self.facts[entry] if entry >= 0 else None
        if facts is None:
            return None
        return Frame(self.arrays[entry], self.low[entry], self.high[entry], facts)


def decode(cells: Sequence[str | None], folder: Path, cache: Path | None = None, window: Window = "file") -> Decoded:
    """Read every image that a column names.

    Args:
        cells: Paths relative to ``folder`` (or absolute), or ``file.npz#array[index]``; None = no image.
        folder: Folder of the user's table.
        cache: Where decoded images are kept, or None for memory.
        window: What becomes black and white in DICOM images.

    Raises:
        ReadError: if the cache cannot be written. The ``fault`` of a row says why its file is unusable.
        MissingPackage: if a package that reads one of the formats is not installed.
    """
    kept = archive.OpenArrays()

    def decode_cell(cell: str) -> tuple[Shaped[np.ndarray, "height width channel"], Note]:
        address = archive.parse(cell)
        inside = None if address is None else archive.as_frame(kept.entry(address, folder, "images"))
        frame = inside or read_image(folder / cell, window)
        pixels = _plain(frame.pixels)
        blank = bool(pixels.min() == pixels.max())
        return pixels, {"low": frame.low, "high": frame.high, "facts": asdict(frame.facts), "blank": blank}

    version = f"decode 3 {versions(image_formats())} {window!r}"
    files = decode_column(cells, folder, cache, version, decode_cell, _NOTHING)
    return Decoded(
        **vars(files),
        low=tuple(float(note.get("low", 0)) for note in files.notes),
        high=tuple(float(note.get("high", 1)) for note in files.notes),
        blank=tuple(bool(note.get("blank", False)) for note in files.notes),
        facts=tuple(_facts(note["facts"]) if note else None for note in files.notes),
    )


def _facts(fields: dict[str, Any]) -> FileProperties:
    spacing = fields["spacing"]
    return FileProperties(**(fields | {"spacing": None if spacing is None else (spacing[0], spacing[1])}))


def _plain(pixels: Shaped[np.ndarray, "height width channel"]) -> Shaped[np.ndarray, "height width _"]:
    """Grey in colour's clothes (three equal channels) as what it is, so that equal images have equal pixels."""
    if pixels.shape[2] != 3 or (pixels[0, 0] != pixels[0, 0, 0]).any():
        return pixels
    grey = bool((pixels == pixels[:, :, :1]).all())
    return pixels[:, :, :1] if grey else pixels
