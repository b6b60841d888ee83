"""Guessing which columns hold scans, texts, masks, boxes and spans, for a draft that a person then corrects."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import polars as pl

from polyclinic.formats.images.base import image_formats
from polyclinic.formats.scans.base import MaskFormat, ScanFormat, grid_formats

_IN_ARCHIVE = r"\.npz#\w+\[[0-9]+\]"
_BOXES = r"(?i)\.(json|xml)$"
_MASK = r"(?i)(.*[ _-])?(masks?|segs?|segmentations?|labels?|annotations?|contours?|ground[ _-]?truth|fov)([ _-].*)?"
_CJK = re.compile(r"[\u3400-\u9fff]")
_LOOKED_AT = 50
"""Cells that are parsed to see what a column holds. A round number."""

_MOST = 0.9
"""A few cells may be empty words or slips; a column of paths is one all the same."""

_SIGNS = 40
"""Signs of a sentence, at the median: longer than names and codes. Chinese needs half as many."""

_WORDS = 6
"""Words of a sentence, at the median."""

_FLAT = 4
"""Numbers of a box on a picture; one in a scan has six."""


@dataclass(frozen=True)
class DenseGuess:
    """A question of where rather than whether.

    Attributes:
        kind: "segment", "detect", "tag" or "relate".
        ground: Sort of input that it is asked on: "image", "volume" or "text".
        why: Why this kind was chosen.
    """

    kind: str
    ground: str
    why: str


def holds_images(column: pl.Series) -> bool:
    """Whether the cells are paths of pictures."""
    endings = "|".join(re.escape(suffix) for suffix in _picture_suffixes())
    return _mostly(column, rf"(?i)({endings}|{_IN_ARCHIVE})$")


def holds_volumes(column: pl.Series, folder: Path | None) -> bool:
    """Whether the cells are paths of scans, or of folders with DICOM slices."""
    suffixes = {suffix for known in grid_formats() for suffix in known.suffixes} - _picture_suffixes()
    endings = "|".join(sorted(re.escape(suffix) for suffix in suffixes))
    return _mostly(column, rf"(?i)({endings})$") or (folder is not None and _are_folders(_some(column), folder))


def _picture_suffixes() -> set[str]:
    """How files of pictures are called, those of flat masks included."""
    flat = [known for known in grid_formats() if isinstance(known, MaskFormat) and not isinstance(known, ScanFormat)]
    return {suffix for known in (*image_formats(), *flat) for suffix in known.suffixes}


def is_mask(column: pl.Series) -> bool:
    """Whether the name of a column of pictures or scans says that they are drawn, not taken."""
    return re.fullmatch(_MASK, column.name.strip()) is not None


def holds_lists(column: pl.Series) -> bool:
    """Whether the cells are lists in JSON."""
    some = _some(column)
    return bool(some) and all(cell.lstrip().startswith("[") and _parsed(cell) is not None for cell in some)


def holds_texts(column: pl.Series) -> bool:
    """Whether the cells are sentences rather than names or codes."""
    some = _some(column)
    if not some or holds_lists(column):
        return False
    chinese = median(len(_CJK.findall(cell)) for cell in some) >= _SIGNS / 2
    spaced = median(len(cell) for cell in some) >= _SIGNS and median(len(cell.split()) for cell in some) >= _WORDS
    return chinese or spaced


def guess_dense(column: pl.Series, folder: Path | None) -> DenseGuess | None:
    """The dense question that an outcome column asks; None where it is a class, a number or an event."""
    if column.dtype != pl.String:
        return None
    if holds_volumes(column, folder):
        return DenseGuess("segment", "volume", "the cells are paths of scans: masks drawn on others")
    if holds_images(column):
        return DenseGuess(
            "segment", "image", 'the cells are paths of pictures: masks; "cells" if each cell is numbered'
        )
    if _mostly(column, _BOXES):
        return DenseGuess("detect", "image", "the cells are paths of lists of boxes")
    return _listed(column) if holds_lists(column) else None


def _listed(column: pl.Series) -> DenseGuess | None:
    """What the entries of lists in JSON are, by their keys."""
    entries = [entry for cell in _some(column) for entry in _parsed(cell) or () if isinstance(entry, dict)]
    if not entries:
        return None
    keys = set(entries[0])
    if {"head", "tail"} <= keys:
        return DenseGuess("relate", "text", "lists of relations between two stretches of a text")
    if {"start", "end"} <= keys:
        return DenseGuess("tag", "text", "lists of spans of a text, with what they are")
    box = entries[0].get("box")
    if isinstance(box, list):
        ground = "image" if len(box) <= _FLAT else "volume"
        return DenseGuess("detect", ground, "lists of boxes, with what is in them")
    return None


def _mostly(column: pl.Series, pattern: str) -> bool:
    known = column.drop_nulls()
    return column.dtype == pl.String and len(known) > 0 and bool(known.str.contains(pattern).mean() >= _MOST)  # type: ignore[operator]


def _some(column: pl.Series) -> list[str]:
    """The first cells that hold something."""
    if column.dtype != pl.String:
        return []
    known = column.drop_nulls()
    found: list[str] = known.filter(known.str.strip_chars() != "").head(_LOOKED_AT).to_list()
    return found


def _are_folders(cells: Sequence[str], folder: Path) -> bool:
    short = [cell for cell in cells if len(cell) < 4096 and "\0" not in cell]
    return bool(short) and len(short) == len(cells) and all(_is_folder(folder, cell) for cell in short)


def _is_folder(folder: Path, cell: str) -> bool:
    try:
        return (folder / cell).is_dir()
    except OSError:  # a long text is no path
        return False


def _parsed(cell: str) -> list[object] | None:
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
