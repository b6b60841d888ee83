"""Masks of a column, each held against the image or scan that it was drawn on. No torch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt8

from polyclinic.errors import CohortError, Finding, ReadError, stop_on
from polyclinic.formats.pictures.archive import OpenArrays
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.voxels.voxel_grid import Mask, on_scan_grid, refuse, steps_of
from polyclinic.geometry import GridGeometry
from polyclinic.records.cache import RaggedArray
from polyclinic.records.column_files import Fault, Note, decode_each, digest_cell, rows_by_fault

_VERSION = "drawn 2"
_OBJECTS = "DICOM SEG"
_STEP = 0.01
"""Spacings within a hundredth are the same: rounding in headers."""
_TURN = 1e-3
"""Cosines that differ by less are the same direction: rounding in headers."""
_PLACE = 0.5
"""First points less than half a step apart are the same point."""
_NOTHING = np.zeros((0,), dtype=np.uint8)


@dataclass(frozen=True)
class ColumnMasks:
    """The masks of all rows, in the geometry of their files.

    Attributes:
        layers: Of each row that has a mask, "layer *grid": label images, one for each file.
        entry: Which of ``layers`` each row has, -1 where nothing is known.
        values: The distinct labels of each layer, by entry.
        names: Names of the layers where the files tell them; else empty.
        key: Digest of the files and of the grids that they lie on.
    """

    layers: RaggedArray
    entry: Int[np.ndarray, " sample"]
    values: tuple[tuple[tuple[int, ...], ...], ...]
    names: tuple[str, ...]
    key: str

    def __len__(self) -> int:
        return len(self.entry)

    def row(self, row: int) -> Integer[np.ndarray, " layer *grid"] | None:
        """The layers of one row, None where nothing is known."""
        entry = int(self.entry[row])
        return None if entry < 0 else self.layers[entry]

    def labels(self, row: int) -> tuple[tuple[int, ...], ...]:
        """The distinct labels of each layer of one row."""
        entry = int(self.entry[row])
        return () if entry < 0 else self.values[entry]

    def take(self, index: Int[np.ndarray, " row"]) -> "ColumnMasks":
        """The masks of some rows."""
        return ColumnMasks(self.layers, self.entry[index], self.values, self.names, self.key)


@dataclass(frozen=True)
class Region:
    """What belongs to a region.

    Attributes:
        name: In the user's words.
        layer: Which layer tells.
        labels: Its labels; none = whatever is not 0.
    """

    name: str
    layer: int
    labels: tuple[int, ...]


def inside(layers: Integer[np.ndarray, " layer *grid"], region: Region) -> Bool[np.ndarray, "*grid"]:
    """Which points belong to a region."""
    plane = layers[region.layer]
    if not region.labels:
        return np.asarray(plane != 0)
    if len(region.labels) == 1:
        return np.asarray(plane == region.labels[0])
    return np.asarray(np.isin(plane, region.labels))


def load(
    cells: Sequence[tuple[str | None, ...]],
    geometry: Sequence[GridGeometry | None],
    folder: Path,
    cache: Path | None,
    place: str,
    named: tuple[str, ...] = (),
) -> ColumnMasks:
    """Read the masks of all rows and hold them against their images or scans.

    Args:
        cells: Files of each row; a row of which one is missing has no mask.
        geometry: Grid of each row's image or scan, None where it is absent.
        folder: What relative paths start from.
        cache: Where masks may be kept, or None.
        place: Table and column, for messages.
        named: Names of the layers wanted, for files that name theirs.

    Raises:
        CohortError: with all findings: another size, spacing, orientation or place than the scan.
        ReadError: with all findings, if all of them are about files that cannot be read.
    """
    wanted = [row for row, paths in enumerate(cells) if all(paths) and paths and geometry[row] is not None]
    items = [(tuple(str(cell) for cell in cells[row]), grid) for row in wanted if (grid := geometry[row]) is not None]
    kept = OpenArrays()

    def decode(item: tuple[tuple[str, ...], GridGeometry]) -> tuple[Integer[np.ndarray, " layer *grid"], Note]:
        paths, grid = item
        layers, by_name = _layers([on_grid(read_mask(path, folder, kept), grid) for path in paths], named)
        return layers, {"values": [np.unique(layer).tolist() for layer in layers], "named": by_name}

    files = decode_each(items, decode, _NOTHING, cache, _key(items, folder, named))
    _stop_on(files.faults, wanted, place)
    entry = np.full(len(cells), -1, dtype=np.int64)
    entry[wanted] = np.arange(len(wanted))
    values = tuple(tuple(tuple(one) for one in note["values"]) for note in files.notes)
    names = named if any(note["named"] for note in files.notes) else ()
    return ColumnMasks(files.arrays, entry, values, names, files.key)


def _key(items: Sequence[tuple[tuple[str, ...], GridGeometry]], folder: Path, named: tuple[str, ...]) -> str:
    """Digest of the files, of the grids they must lie on, and of the version of this reader."""
    total = hashlib.blake2b(f"{_VERSION} {named!r}".encode(), digest_size=20)
    known: dict[str, bytes] = {}
    for paths, grid in items:
        for path in paths:
            total.update(digest_cell(path, folder, known))
        affine = b"" if grid.affine is None else np.asarray(grid.affine, dtype=np.float64).tobytes()
        total.update(repr(grid.shape).encode() + affine)
    return f"masks-{total.hexdigest()}"


def _layers(masks: Sequence[Mask], wanted: tuple[str, ...]) -> tuple[Integer[np.ndarray, " layer *grid"], bool]:
    """Label images one upon another; segments that a file names, in the order of the names wanted."""
    if not any(mask.names for mask in masks):
        widest = np.result_type(*[mask.labels.dtype for mask in masks])
        return np.stack([mask.labels.astype(widest, copy=False) for mask in masks]), False
    mask = masks[0]
    strange = sorted(set(mask.names) - set(wanted))
    if len(masks) > 1 or strange:
        rule, found = "segments must be those that the study declares", f"{len(strange)} others are there"
        raise refuse("unknown_label", rule, found, "Name them under regions, exactly as the files do.")
    nothing = np.zeros(mask.labels.shape[1:], dtype=np.uint8)
    there = dict(zip(mask.names, mask.labels, strict=True))
    return np.stack([there.get(name, nothing) for name in wanted]), True


def on_grid(mask: Mask, geometry: GridGeometry) -> Mask:
    """The mask, if it lies on the grid of its image or scan; segments of DICOM are laid there.

    Raises:
        ReadError: another size, spacing, orientation or place.
    """
    shape = mask.labels.shape[1:] if mask.names else mask.labels.shape
    solid = mask.affine is not None and geometry.affine is not None
    if solid and mask.facts.format == _OBJECTS:
        assert geometry.affine is not None
        return on_scan_grid(mask, (geometry.shape[0], geometry.shape[1], geometry.shape[2]), geometry.affine)
    if tuple(shape) != tuple(geometry.shape):
        found = f"{' x '.join(map(str, shape))} points instead of {' x '.join(map(str, geometry.shape))}"
        raise _elsewhere("other_size", "size", found)
    if solid:
        assert mask.affine is not None
        assert geometry.affine is not None
        _compare(mask.affine, geometry.affine)
    return mask


def _compare(ours: Float[np.ndarray, "4 4"], scan: Float[np.ndarray, "4 4"]) -> None:
    steps, wanted = np.array(steps_of(ours)), np.array(steps_of(scan))
    if np.abs(steps / wanted - 1).max() > _STEP:
        found = f"steps of {_lengths_text(steps)} mm instead of {_lengths_text(wanted)} mm"
        raise _elsewhere("other_spacing", "spacing", found)
    if np.abs(ours[:3, :3] / steps - scan[:3, :3] / wanted).max() > _TURN + _STEP:
        raise _elsewhere("other_orientation", "orientation", "its axes run another way")
    if (np.abs(ours[:3, 3] - scan[:3, 3]) > _PLACE * wanted.max()).any():
        raise _elsewhere("other_place", "place", "its first point lies elsewhere")


def _lengths_text(steps: Float[np.ndarray, " axis"]) -> str:
    return " x ".join(f"{step:.3g}" for step in steps)


def _elsewhere(name: str, what: str, found: str) -> ReadError:
    rule = f"a mask must have the {what} of the image or scan that it belongs to"
    return refuse(name, rule, found, "Resample the mask to it, or correct the path.")


def _stop_on(faults: Sequence[Fault | None], rows: Sequence[int], place: str) -> None:
    """All faults, equal ones of several rows as one finding."""
    findings = [
        Finding(fault.name, place, fault.rule, fault.found, fault.remedy, rows=tuple(rows[n - 1] + 1 for n in where))
        for fault, where in rows_by_fault(faults).items()
    ]
    mismatch = any(finding.name.startswith("other_") or finding.name == "unknown_label" for finding in findings)
    stop_on(findings, CohortError if mismatch else ReadError)


def planes(
    layers: Integer[np.ndarray, " layer *grid"], regions: Sequence[Region]
) -> UInt8[np.ndarray, " region *grid"]:
    """Every region as 0 or 1."""
    found = np.empty((len(regions), *layers.shape[1:]), dtype=np.uint8)
    for number, region in enumerate(regions):
        found[number] = inside(layers, region)
    return found
