"""Cells of a volume column to scans: each distinct file once, kept in the cache, with its faults. No torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from polyclinic.errors import Severity
from polyclinic.formats.base import versions
from polyclinic.formats.pictures.archive import OpenArrays
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.scans.base import grid_formats
from polyclinic.formats.voxels.voxel_grid import VolumeFacts, VoxelGrid
from polyclinic.geometry import GridGeometry
from polyclinic.records.cache import RaggedArray
from polyclinic.records.column_files import Fault, Note, decode_column

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
class Remark:
    """What a reader put right in one file, or what should be known of it."""

    name: str
    rule: str
    found: str
    remedy: str
    doubtful: bool


@dataclass(frozen=True)
class Scans:
    """The volumes of a column. Rows that name the same file share one entry.

    Attributes:
        values: Voxels of each distinct readable or unreadable file; an unreadable one has none.
        entry: Which of ``values`` each row has, -1 where the cell is empty or the file was unusable.
        geometry: Grid of the file, by entry; None where unusable.
        facts: Properties of the file, by entry; None where unusable.
        blank: Whether all voxels are the same, by entry.
        remarks: What the reader has to say, by entry.
        fault: What went wrong, by row; None where nothing did.
        key: Digest of all content and of the version of the readers.
    """

    values: RaggedArray
    entry: Int[np.ndarray, " sample"]
    geometry: tuple[GridGeometry | None, ...]
    facts: tuple[VolumeFacts | None, ...]
    blank: tuple[bool, ...]
    remarks: tuple[tuple[Remark, ...], ...]
    fault: tuple[Fault | None, ...]
    key: str

    def __len__(self) -> int:
        return len(self.entry)

    def scan(self, row: int) -> Scan | None:
        """The volume of one row, or None where there is none."""
        return self.at(int(self.entry[row]))

    def at(self, entry: int) -> Scan | None:
        """The volume of one entry, or None where there is none."""
        if entry < 0:
            return None
        geometry, facts = self.geometry[entry], self.facts[entry]
        return None if geometry is None or facts is None else Scan(self.values[entry], geometry, facts)


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
    notes = files.notes
    return Scans(
        files.arrays,
        files.entry,
        tuple(_geometry(note) if note else None for note in notes),
        tuple(_facts(note["facts"]) if note else None for note in notes),
        tuple(bool(note.get("blank", False)) for note in notes),
        tuple(tuple(Remark(**remark) for remark in note.get("remarks", ())) for note in notes),
        files.fault,
        files.key,
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
