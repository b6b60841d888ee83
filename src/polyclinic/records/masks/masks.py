"""Masks of a column, each held against the image or scan that it was drawn on. No torch."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt8

from polyclinic.errors import CohortError, Finding, ReadError
from polyclinic.formats.pictures import archive
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.voxels.from_archive import Kept
from polyclinic.formats.voxels.voxel_grid import Mask, laid_on, refuse, steps_of
from polyclinic.geometry import GridGeometry
from polyclinic.records.cache import RaggedArray, Record, keep

_VERSION = "drawn 1"
_OBJECTS = "DICOM SEG"
_STEP = 0.01
_TURN = 1e-3
_PLACE = 0.5
_NOTHING = np.zeros((0,), dtype=np.uint8)


@dataclass(frozen=True)
class DrawnMasks:
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

    def take(self, index: Int[np.ndarray, " row"]) -> "DrawnMasks":
        """The masks of some rows."""
        return DrawnMasks(self.layers, self.entry[index], self.values, self.names, self.key)


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
) -> DrawnMasks:
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
    shelf = _Shelf(folder, named, [tuple(str(cell) for cell in cells[row]) for row in wanted])
    grids = [grid for row in wanted if (grid := geometry[row]) is not None]
    key = shelf.key(grids)
    kept = keep(cache, key, lambda: shelf.records(grids))
    notes = [json.loads(note) for note in kept.note]
    _stop_on(notes, wanted, place)
    entry = np.full(len(cells), -1, dtype=np.int64)
    entry[wanted] = np.arange(len(wanted))
    values = tuple(tuple(tuple(one) for one in note["values"]) for note in notes)
    return DrawnMasks(kept, entry, values, named if any(note["named"] for note in notes) else (), key)


class _Shelf:
    """Opens the masks of one column."""

    def __init__(self, folder: Path, named: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> None:
        self.folder, self.named, self.cells = folder, named, cells

    def key(self, geometry: Sequence[GridGeometry]) -> str:
        """Digest of the files, of the grids they must lie on, and of the version of this reader."""
        total = hashlib.blake2b(f"{_VERSION} {self.named!r}".encode(), digest_size=20)
        for cells, grid in zip(self.cells, geometry, strict=True):
            for cell in cells:
                address = archive.parse(cell)
                total.update(cell.encode() if address else b"")
                total.update(_digest(self.folder / (address.file if address else cell)))
            affine = b"" if grid.affine is None else np.asarray(grid.affine, dtype=np.float64).tobytes()
            total.update(repr(grid.shape).encode() + affine)
        return f"masks-{total.hexdigest()}"

    def records(self, geometry: Sequence[GridGeometry]) -> Iterator[Record]:
        """Layers and note of each row; what cannot be used gives no layers and the reason."""
        kept: Kept = {}
        for cells, grid in zip(self.cells, geometry, strict=True):
            try:
                masks = [laid(read_mask(cell, self.folder, kept), grid) for cell in cells]
                layers, named = self._layers(masks)
            except ReadError as error:
                finding = error.findings[0]
                told = (finding.name, finding.rule, finding.found, finding.remedy)
                yield _NOTHING, json.dumps({"problem": told, "values": [], "named": False})
            else:
                values = [np.unique(layer).tolist() for layer in layers]
                yield layers, json.dumps({"values": values, "named": named})

    def _layers(self, masks: Sequence[Mask]) -> tuple[Integer[np.ndarray, " layer *grid"], bool]:
        """Label images one upon another; segments that a file names, in the order of the names wanted."""
        if not any(mask.names for mask in masks):
            widest = np.result_type(*[mask.labels.dtype for mask in masks])
            return np.stack([mask.labels.astype(widest, copy=False) for mask in masks]), False
        mask = masks[0]
        strange = sorted(set(mask.names) - set(self.named))
        if len(masks) > 1 or strange:
            rule, found = "segments must be those that the study declares", f"{len(strange)} others are there"
            raise refuse("unknown_label", rule, found, "Name them under regions, exactly as the files do.")
        nothing = np.zeros(mask.labels.shape[1:], dtype=np.uint8)
        there = dict(zip(mask.names, mask.labels, strict=True))
        return np.stack([there.get(name, nothing) for name in self.named]), True


def laid(mask: Mask, geometry: GridGeometry) -> Mask:
    """The mask, if it lies on the grid of its image or scan; segments of DICOM are laid there.

    Raises:
        ReadError: another size, spacing, orientation or place.
    """
    shape = mask.labels.shape[1:] if mask.names else mask.labels.shape
    solid = mask.affine is not None and geometry.affine is not None
    if solid and mask.facts.format == _OBJECTS:
        assert geometry.affine is not None
        return laid_on(mask, (geometry.shape[0], geometry.shape[1], geometry.shape[2]), geometry.affine)
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
        found = f"steps of {_told(steps)} mm instead of {_told(wanted)} mm"
        raise _elsewhere("other_spacing", "spacing", found)
    if np.abs(ours[:3, :3] / steps - scan[:3, :3] / wanted).max() > _TURN + _STEP:
        raise _elsewhere("other_orientation", "orientation", "its axes run another way")
    if (np.abs(ours[:3, 3] - scan[:3, 3]) > _PLACE * wanted.max()).any():
        raise _elsewhere("other_place", "place", "its first point lies elsewhere")


def _told(steps: Float[np.ndarray, " axis"]) -> str:
    return " x ".join(f"{step:.3g}" for step in steps)


def _elsewhere(name: str, what: str, found: str) -> ReadError:
    rule = f"a mask must have the {what} of the image or scan that it belongs to"
    return refuse(name, rule, found, "Resample the mask to it, or correct the path.")


def _stop_on(notes: Sequence[dict[str, object]], rows: Sequence[int], place: str) -> None:
    """All problems, equal ones of several rows as one finding."""
    problems: dict[tuple[str, ...], list[int]] = {}
    for note, row in zip(notes, rows, strict=True):
        told = note.get("problem")
        if isinstance(told, list):
            problems.setdefault(tuple(str(part) for part in told), []).append(row + 1)
    if not problems:
        return
    findings = [
        Finding(name, place, rule, found, remedy, rows=tuple(hit))
        for (name, rule, found, remedy), hit in problems.items()
    ]
    mismatch = any(finding.name.startswith("other_") or finding.name == "unknown_label" for finding in findings)
    raise (CohortError if mismatch else ReadError)(findings)


def _digest(path: Path) -> bytes:
    """Digest of a file's content, or of all files of a folder; of what cannot be opened, of that fact."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    total = hashlib.blake2b(digest_size=20)
    for file in files:
        try:
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=20)).digest())
        except OSError as error:
            total.update(f"unreadable {error.errno}".encode())
    return total.digest()


def planes(
    layers: Integer[np.ndarray, " layer *grid"], regions: Sequence[Region]
) -> UInt8[np.ndarray, " region *grid"]:
    """Every region as 0 or 1."""
    found = np.empty((len(regions), *layers.shape[1:]), dtype=np.uint8)
    for number, region in enumerate(regions):
        found[number] = inside(layers, region)
    return found
