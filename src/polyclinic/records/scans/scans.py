"""Cells of a volume column to scans: each distinct file once, kept in the cache, with its faults. No torch."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped

from polyclinic.errors import Finding, ReadError, Severity
from polyclinic.formats.pictures import archive
from polyclinic.formats.read_scan import content_digest, read_scan
from polyclinic.formats.voxels.from_archive import Kept
from polyclinic.formats.voxels.voxel_grid import VolumeFacts, VoxelGrid
from polyclinic.geometry import GridGeometry
from polyclinic.records.cache import RaggedArray, Record, keep
from polyclinic.records.images.decoded import Problem

_VERSION = f"scans 1 archive {archive.VERSION}"
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
        problem: What went wrong, by row; None where nothing did.
        key: Digest of all content and of the version of the readers.
    """

    values: RaggedArray
    entry: Int[np.ndarray, " sample"]
    geometry: tuple[GridGeometry | None, ...]
    facts: tuple[VolumeFacts | None, ...]
    blank: tuple[bool, ...]
    remarks: tuple[tuple[Remark, ...], ...]
    problem: tuple[Problem | None, ...]
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
        ReadError: if the cache cannot be written. Unusable files are told in ``problem``.
        MissingPackage: if a package that reads one of the formats is not installed.
    """
    distinct = list(dict.fromkeys(cell for cell in cells if cell))
    key = _key(distinct, folder)
    values = keep(cache, key, lambda: _records(distinct, folder))
    notes = [json.loads(note) for note in values.note]
    problems = [Problem(**note["problem"]) if "problem" in note else None for note in notes]
    place = {cell: number for number, cell in enumerate(distinct)}
    entry = np.array([place[cell] if cell else -1 for cell in cells], dtype=np.int64)
    by_row = tuple(problems[number] if number >= 0 else None for number in entry)
    usable = np.array([problem is None for problem in by_row], dtype=bool)
    return Scans(
        values,
        np.where(usable, entry, -1),
        tuple(_geometry(note) for note in notes),
        tuple(_facts(note["facts"]) if "facts" in note else None for note in notes),
        tuple(bool(note.get("blank", False)) for note in notes),
        tuple(tuple(Remark(**remark) for remark in note.get("remarks", ())) for note in notes),
        by_row,
        key,
    )


def _key(cells: Sequence[str], folder: Path) -> str:
    """One digest of the content of all files and of the version of the readers."""
    total = hashlib.blake2b(_VERSION.encode(), digest_size=20)
    files: dict[str, bytes] = {}
    for cell in cells:
        address = archive.parse(cell)
        file = address.file if address else cell
        if file not in files:
            files[file] = content_digest(file, folder)
        total.update(files[file])
        if address:
            total.update(f"{address.array}[{address.index}]".encode())
    return total.hexdigest()


def _records(cells: Sequence[str], folder: Path) -> Iterator[Record]:
    """Voxels and note of each cell, in order; an unusable file gives no voxels and the reason."""
    kept: Kept = {}
    for cell in cells:
        try:
            volume = read_scan(cell, folder, kept)
        except ReadError as error:
            yield _NOTHING, json.dumps({"problem": asdict(_problem(error.findings[0]))})
        else:
            yield np.ascontiguousarray(volume.values), json.dumps(_note(volume))


def _note(volume: VoxelGrid) -> dict[str, object]:
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


def _geometry(note: dict[str, object]) -> GridGeometry | None:
    if "facts" not in note:
        return None
    facts, affine, spacing = note["facts"], note["affine"], note["spacing"]
    assert isinstance(facts, dict)
    steps = tuple(spacing) if isinstance(spacing, list) else None
    turned = None if affine is None else np.array(affine, dtype=np.float64)
    return GridGeometry(tuple(facts["shape"]), turned, steps, "px" if steps is None else "mm")


def _facts(fields: dict[str, object]) -> VolumeFacts:
    shape = fields["shape"]
    assert isinstance(shape, list)
    return VolumeFacts(**(fields | {"shape": tuple(shape)}))  # type: ignore[arg-type]  # asdict went the other way


def _problem(finding: Finding) -> Problem:
    return Problem(finding.name, finding.rule, finding.found, finding.remedy)
