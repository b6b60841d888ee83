"""Cells of a volume column to scans: each distinct file once, kept in the cache, with its faults. No torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import Severity
from polyclinic.formats.base import versions
from polyclinic.formats.pictures.archive import OpenArrays
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.scans.base import grid_formats
from polyclinic.formats.voxels.voxel_grid import VolumeFacts, VoxelGrid
from polyclinic.geometry import GridGeometry
from polyclinic.records.column_files import ColumnFiles, Fault, Note, decode_column

_NOTHING = np.zeros((0, 0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class Scan:
    """One volume of the column.

    Attributes:
        values: Measured values, axes as the reader gives them.
        geometry: Its grid.
        facts: Properties of the file.
    """

    values: Shaped[np.ndarray, "i j k"]
    geometry: GridGeometry
    facts: VolumeFacts


@dataclass(frozen=True)
class Remark(Fault):
    """What a reader put right in one file, or what should be known of it."""

    doubtful: bool


@dataclass(frozen=True)
class Scans(ColumnFiles):
    """The volumes of a column: the arrays are their voxels.

    Attributes:
        geometry: Grid of the file, by entry; None where unusable.
        facts: Properties of the file, by entry; None where unusable.
        blank: Whether all voxels are the same, by entry.
        remarks: What the reader has to say, by entry.
    """

    geometry: tuple[GridGeometry | None, ...]
    facts: tuple[VolumeFacts | None, ...]
    blank: tuple[bool, ...]
    remarks: tuple[tuple[Remark, ...], ...]

    def scan(self, row: int) -> Scan | None:
        """The volume of one row, or None where there is none."""
        return self.at(int(self.entry[row]))

    def at(self, entry: int) -> Scan | None:
        """The volume of one entry, or None where there is none."""
        if entry < 0:
            return None
        geometry, facts = self.geometry[entry], self.facts[entry]
        return None if geometry is None or facts is None else Scan(self.arrays[entry], geometry, facts)


def read_scans(cells: Sequence[str | None], folder: Path, cache: Path | None = None) -> Scans:
    """Read every volume that a column names.

    Args:
        cells: Paths relative to ``folder`` (or absolute) of files or of folders of slices, or
            ``file.npz#array[index]``; None = no volume.
        folder: Folder of the user's table.
        cache: Where volumes are kept once read, or None for memory.

    Raises:
        ReadError: if the cache cannot be written. The ``fault`` of a row says why its file is unusable.
        MissingPackage: if a package that reads one of the formats is not installed.
    """
    kept = OpenArrays()

    def decode(cell: str) -> tuple[Shaped[np.ndarray, "i j k"], Note]:
        volume = read_scan(cell, folder, kept)
        return np.ascontiguousarray(volume.values), _note(volume)

    files = decode_column(cells, folder, cache, f"scans 2 {versions(grid_formats())}", decode, _NOTHING)
    return Scans(
        **vars(files),
        geometry=tuple(_geometry(note) if note else None for note in files.notes),
        facts=tuple(_facts(note["facts"]) if note else None for note in files.notes),
        blank=tuple(bool(note.get("blank", False)) for note in files.notes),
        remarks=tuple(tuple(Remark(**remark) for remark in note.get("remarks", ())) for note in files.notes),
    )


def _note(volume: VoxelGrid) -> Note:
    affine = None if volume.affine is None else volume.affine.tolist()
    first = volume.values.flat[0]
    remarks = [asdict(Remark(f.name, f.rule, f.found, f.remedy, f.severity is Severity.WARNING)) for f in volume.notes]
    return {
        "affine": affine,
        "spacing": volume.spacing,
        "facts": asdict(volume.facts),
        "blank": bool((volume.values == first).all()),
        "remarks": remarks,
    }


def _geometry(note: Note) -> GridGeometry:
    affine, spacing = note["affine"], note["spacing"]
    steps = None if spacing is None else tuple(spacing)
    turned = None if affine is None else np.array(affine, dtype=np.float64)
    return GridGeometry(tuple(note["facts"]["shape"]), turned, steps, "px" if steps is None else "mm")


def _facts(fields: dict[str, Any]) -> VolumeFacts:
    return VolumeFacts(**(fields | {"shape": tuple(fields["shape"])}))
