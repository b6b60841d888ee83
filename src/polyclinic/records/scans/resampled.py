"""Every scan of a column on its network's grid, in a file of the cache where they are too many for memory. No torch."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.geometry import Lattice, overlap
from polyclinic.records.cache import RaggedArray, gather, keep
from polyclinic.records.scans.lattices import Intensity, fill, lattice
from polyclinic.records.scans.scans import Scans

_IN_MEMORY = 256 * 1024 * 1024
"""Bytes of all grids that stay in memory; a round number."""
_SLACK = 1.1
"""As for the grid of a scan: what is a little larger is cut rather than thinned."""


@dataclass(frozen=True)
class ResampledScans:
    """Scans ready for a network.

    Attributes:
        grids: Numbers around 0 on the network's grid, half precision, one per distinct scan.
        places: Where these grids lie in their files, likewise.
        entry: Which of them each row has, -1 where absent.
    """

    grids: RaggedArray
    places: tuple[Lattice, ...]
    entry: Int[np.ndarray, " sample"]

    def __len__(self) -> int:
        return len(self.entry)

    def place(self, row: int) -> Lattice | None:
        """Where one row's grid lies, None where it is absent."""
        entry = int(self.entry[row])
        return None if entry < 0 else self.places[entry]

    def shape(self, row: int) -> tuple[int, ...] | None:
        """Points of one row's grid along each axis."""
        place = self.place(row)
        return None if place is None else place.shape

    def cut(self, row: int, start: Sequence[int], size: Sequence[int]) -> Float[np.ndarray, "*size"]:
        """A box of one row's grid, 0 beyond it and where the row is absent.

        Args:
            row: Which row.
            start: First point, may be negative.
            size: Points along each axis.
        """
        entry = int(self.entry[row])
        return np.zeros(tuple(size), dtype=np.float32) if entry < 0 else _box(self.grids[entry], start, size, 0.0)

    def whole(self, row: int, extent: Sequence[int]) -> Float[np.ndarray, "*extent"]:
        """One row's grid within an extent, in its middle, its least value around it; zeros where it is absent.

        Of a grid that is larger by more than a tenth only every second, third, ... point is taken.
        """
        entry = int(self.entry[row])
        if entry < 0:
            return np.zeros(tuple(extent), dtype=np.float32)
        grid = self.grids[entry]
        step = max(ceil(side / (_SLACK * length)) for side, length in zip(grid.shape, extent, strict=True))
        grid = grid[::step, ::step, ::step]
        start = [(side - length) // 2 for side, length in zip(grid.shape, extent, strict=True)]
        return _box(grid, start, extent, float(grid.min()))


@dataclass(frozen=True)
class ScanResampling:
    """How scans are laid on grids.

    Attributes:
        spacing: Step along each axis; None = that of each file.
        upright: Whether axes are turned to RAS+.
        intensity: How values become numbers.
        factor: Coarser than ``spacing`` by this.
        extent: Most points along each axis; larger scans shrink to fit. None = as they come.
    """

    spacing: tuple[float, ...] | None
    upright: bool
    intensity: Intensity
    factor: float = 1.0
    extent: tuple[int, ...] | None = None


def resample_scans(scans: Scans, laying: ScanResampling, cache: Path | None) -> ResampledScans:
    """Every distinct scan on its grid."""
    used, position = np.unique(scans.entry, return_inverse=True)
    seen = [int(entry) for entry in used if entry >= 0]
    position = position.reshape(-1) - (len(used) - len(seen))
    places = tuple(grid_of(scans, entry, laying) for entry in seen)

    def grids() -> Iterator[tuple[Shaped[np.ndarray, "i j k"], str]]:
        for entry, place in zip(seen, places, strict=True):
            yield fill(scans.arrays[entry], place, laying.intensity), ""

    total = sum(2 * int(np.prod(place.shape)) for place in places)
    if cache is None or total <= _IN_MEMORY:
        return ResampledScans(gather(grids()), places, position)
    key = hashlib.blake2b(f"{scans.key} {seen} {laying}".encode(), digest_size=20).hexdigest()
    return ResampledScans(keep(cache, key, grids), places, position)


def grid_of(scans: Scans, entry: int, laying: ScanResampling) -> Lattice:
    """The grid of one entry."""
    geometry = scans.geometry[entry]
    assert geometry is not None
    return lattice(geometry, laying.spacing, upright=laying.upright, factor=laying.factor, extent=laying.extent)


def _box(
    grid: Shaped[np.ndarray, "i j k"], start: Sequence[int], size: Sequence[int], outside: float
) -> Float[np.ndarray, "*size"]:
    box = np.full(tuple(size), outside, dtype=np.float32)
    here, there = overlap(start, size, grid.shape)
    box[here] = grid[there]
    return box
