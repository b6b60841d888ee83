"""Cells drawn on pictures, as numbers on their grid: from one picture of numbers, or from a folder of one mask a cell.

A point that was drawn for two cells goes to the smaller of them, so that a small cell on a large one stays whole; of
cells of equal size to the one whose file comes later by name. How many points that were is told. No torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from polyclinic.errors import Finding
from polyclinic.formats.pictures import archive
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.voxels.voxel_grid import refuse
from polyclinic.geometry import Geometry, GridGeometry
from polyclinic.records.column_files import ColumnFiles, Note, decode_column, rows_by_fault

VERSION = 2
"""Raised whenever the same files would give other cells; part of every cache key."""

_ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".gif")
_NOTHING = np.zeros((0, 0), dtype=np.int32)


@dataclass(frozen=True)
class DrawnCells:
    """The cells of one picture.

    Attributes:
        labels: 0 = none, else the number of the cell; 0 x 0 where a folder holds no mask: no cells, of unknown extent.
        doubled: Points that were drawn for more than one cell.
        hidden: Cells of which no point was left.
    """

    labels: Int[np.ndarray, "row column"]
    doubled: int = 0
    hidden: int = 0


@dataclass(frozen=True)
class CellMasks(ColumnFiles):
    """The cells of a column: the arrays are their numbers on the grid of each file or folder.

    Attributes:
        doubled: Points drawn twice, by row.
        hidden: Cells hidden by others, by row.
    """

    doubled: Int[np.ndarray, " row"]
    hidden: Int[np.ndarray, " row"]

    def row(self, position: int, grid: Geometry | None = None) -> Int[np.ndarray, "row column"] | None:
        """The cells of one row, None where not known; a folder without masks says that there are none on ``grid``."""
        entry = int(self.entry[position])
        if entry < 0:
            return None
        labels = self.arrays[entry]
        if labels.size or not isinstance(grid, GridGeometry):
            return labels
        return np.zeros(grid.shape, dtype=np.int32)


def read_column(cells: Sequence[str | None], folder: Path, cache: Path | None = None) -> CellMasks:
    """Read the cells that a column names, each distinct file once.

    Args:
        cells: Paths relative to ``folder`` of pictures of numbers or of folders with one mask a cell, or
            ``file.npz#array[index]``; None = not known.
        folder: Folder of the user's table.
        cache: Where decoded cells are kept, or None for memory.

    Raises:
        ReadError: if the cache cannot be written. The ``fault`` of a row says why its file is unusable.
    """
    kept = archive.OpenArrays()

    def decode(cell: str) -> tuple[Int[np.ndarray, "row column"], Note]:
        drawn = read(cell, folder, kept)
        return drawn.labels, {"doubled": drawn.doubled, "hidden": drawn.hidden}

    files = decode_column(cells, folder, cache, f"instances {VERSION}", decode, _NOTHING)
    counts = [(int(note.get("doubled", 0)), int(note.get("hidden", 0))) for note in files.notes] or [(0, 0)]
    doubled, hidden = np.where(files.entry[:, None] >= 0, np.array(counts)[files.entry], 0).T
    return CellMasks(**vars(files), doubled=doubled, hidden=hidden)


def read(cell: str, folder: Path, kept: archive.OpenArrays | None = None) -> DrawnCells:
    """The cells of one picture.

    Raises:
        ReadError: no such file, no labels, masks of different extents, or a mask of more than one cell.
    """
    path = folder / cell
    if archive.parse(cell) is None and path.is_dir():
        return _from_folder(path)
    labels = read_mask(cell, folder, kept).labels
    if labels.ndim != 2:
        raise refuse("not_flat", "cells are drawn on flat pictures", f"it has {labels.ndim} axes", "Cut it to planes.")
    return DrawnCells(labels.astype(np.int32))


def _from_folder(path: Path) -> DrawnCells:
    masks = [_one(file) for file in masks_in(path)]
    if not masks:
        return DrawnCells(_NOTHING)
    if len({mask.shape for mask in masks}) > 1:
        rule, found = "the masks of a picture must be of one extent", "they are of several"
        raise refuse("other_extent", rule, found, "Export them again, each as large as the picture.")
    size = np.array([int(mask.sum()) for mask in masks])
    labels, often = np.zeros(masks[0].shape, dtype=np.int32), np.zeros(masks[0].shape, dtype=np.int32)
    # Largest first: what is painted later, over it, is smaller. Numbers follow the names of the files.
    for number in np.lexsort((np.arange(len(masks)), -size)):
        labels[masks[number]] = number + 1
        often += masks[number]
    seen = np.count_nonzero(np.bincount(labels.ravel(), minlength=1)[1:])
    return DrawnCells(labels, int((often > 1).sum()), len(masks) - int(seen))


def _one(file: Path) -> Bool[np.ndarray, "row column"]:
    mask = read_mask(file)
    if len([value for value in mask.values if value]) > 1:
        rule, found = "in a folder every mask must show one cell", "one holds several values"
        raise refuse("several_cells", rule, found, "Name the picture of numbers itself, or save one cell a file.")
    return np.asarray(mask.labels > 0)


def masks_in(path: Path) -> list[Path]:
    """The pictures in a folder, by name; other files, such as those that systems leave behind, are passed over."""
    files = (file for file in path.iterdir() if file.suffix.lower() in _ENDINGS and not file.name.startswith("."))
    return sorted(files, key=lambda file: file.name)


def unreadable(column: CellMasks, place: str) -> list[Finding]:
    """One finding for each kind of fault, with all rows that have it."""
    return [
        Finding(fault.name, place, fault.rule, f"{len(rows)} break this: {fault.found}", fault.remedy, rows=rows)
        for fault, rows in rows_by_fault(column.fault).items()
    ]


def elsewhere(column: CellMasks, geometry: Sequence[Geometry | None], place: str) -> list[Finding]:
    """Cells on another grid than the picture they are about; pictures that are none."""
    solid, other = [], []
    for row, grid in enumerate(geometry):
        labels = column.row(row)
        if labels is None or not isinstance(grid, GridGeometry):
            continue
        if len(grid.shape) != 2:
            solid.append(row + 1)
        elif labels.size and labels.shape != tuple(grid.shape):
            other.append(row + 1)
    found = []
    if solid:
        rule, what = "cells are asked for in flat pictures", f"{len(solid)} rows hold volumes"
        found.append(Finding("not_flat", place, rule, what, "Ask for regions in volumes.", rows=tuple(solid)))
    if other:
        rule, what = "cells must be drawn on the grid of their picture", f"{len(other)} rows differ in height or width"
        remedy = "Export them as large as the picture, not turned or shrunk."
        found.append(Finding("other_extent", place, rule, what, remedy, rows=tuple(other)))
    return found
