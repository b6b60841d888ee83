"""Masks on the network's grid, ready to be cut where a view falls. No torch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from polyclinic.geometry import Lattice, overlap, to_working
from polyclinic.records.cache import RaggedArray, keep
from polyclinic.records.masks.masks import ColumnMasks, Region, inside

_POINTS = 512
"""Points of a region that views are aimed at: enough to spread over it; a round number."""
_NOTHING = np.zeros((0,), dtype=np.uint8)


@dataclass(frozen=True)
class ResampledMasks:
    """The regions of all rows on the network's grid.

    Attributes:
        maps: Of each row that is known: one label image "1 *grid" where a point has one region at most, else
            "region *grid"; then, as a last layer, where to look.
        entry: Which of ``maps`` each row has, -1 where nothing is known.
        regions: How many there are.
        exclusive: Whether a point has one region at most.
        points: Some points of each region, by row and region.
    """

    maps: RaggedArray
    entry: Int[np.ndarray, " sample"]
    regions: int
    exclusive: bool
    points: tuple[tuple[Int[np.ndarray, "_ _"], ...], ...]

    def known(self, row: int) -> bool:
        """Whether the row has a mask on a record that is there."""
        return bool(self.entry[row] >= 0)

    def cut(self, row: int, start: Sequence[int], size: Sequence[int]) -> Float[np.ndarray, " layer *size"]:
        """A box: 1 or 0 for every region, and as a last layer whether the point counts; 0 beyond the grid."""
        box = np.zeros((self.regions + 1, *size), dtype=np.float32)
        if not self.known(row):
            return box
        layers = self.maps[int(self.entry[row])]
        here, there = overlap(start, size, layers.shape[1:])
        found = layers[(slice(None), *there)]
        place = box[(slice(None), *here)]
        if self.exclusive:
            for region in range(self.regions):
                place[region] = found[0] == region + 1
        else:
            place[:-1] = found[:-1]
        place[-1] = found[-1]
        return box

    def whole(self, row: int) -> Float[np.ndarray, " layer *grid"]:
        """All of a row's grid, as ``cut`` gives it."""
        shape = self.maps.shape[int(self.entry[row])][1:]
        return self.cut(row, (0,) * len(shape), shape)


def resample_masks(
    drawn: ColumnMasks,
    field: ColumnMasks | None,
    regions: Sequence[Region],
    lattices: Sequence[Lattice | None],
    cache: Path | None,
    *,
    exclusive: bool,
) -> ResampledMasks:
    """Bring the masks of all rows onto the network's grid: nearest point, as labels must not be mixed.

    Args:
        drawn: The masks in the geometry of their files.
        field: Where to look, or None.
        regions: What belongs to each region.
        lattices: The network's grid of each row, None where the record is absent.
        cache: Where the maps may be kept, or None.
        exclusive: Whether a point has one region at most; where several claim it the first has it.
    """
    laying = _Laying(drawn, field, regions, lattices, exclusive)
    rows = [row for row in range(len(drawn)) if drawn.entry[row] >= 0 and lattices[row] is not None]
    entry = np.full(len(drawn), -1, dtype=np.int64)
    entry[rows] = np.arange(len(rows))
    maps = keep(cache, laying.key(rows), lambda: ((laying.map(row), "") for row in rows))
    points = tuple(
        _some_points(maps[int(entry[row])], len(regions), row, exclusive=exclusive) if entry[row] >= 0 else ()
        for row in range(len(drawn))
    )
    return ResampledMasks(maps, entry, len(regions), exclusive, points)


@dataclass(frozen=True)
class _Laying:
    """What is laid on which grids: see ``resample_masks``."""

    drawn: ColumnMasks
    field: ColumnMasks | None
    regions: Sequence[Region]
    lattices: Sequence[Lattice | None]
    exclusive: bool

    def place(self, row: int) -> Lattice:
        place = self.lattices[row]
        assert place is not None
        return place

    def map(self, row: int) -> UInt8[np.ndarray, " layer *grid"]:
        layers, place = self.drawn.row(row), self.place(row)
        assert layers is not None
        found = np.zeros((2 if self.exclusive else len(self.regions) + 1, *place.shape), dtype=np.uint8)
        if self.exclusive:
            label = np.zeros(layers.shape[1:], dtype=np.uint8)
            for number in reversed(range(len(self.regions))):
                label[inside(layers, self.regions[number])] = number + 1
            found[0] = to_working(label, place)
        else:
            for number, region in enumerate(self.regions):
                found[number] = to_working(inside(layers, region).astype(np.uint8), place)
        looked_at = None if self.field is None else self.field.row(row)
        found[-1] = 1 if looked_at is None else to_working((looked_at[0] != 0).astype(np.uint8), place)
        return found

    def key(self, rows: Sequence[int]) -> str:
        drawn, field = self.drawn, self.field
        total = hashlib.blake2b(
            f"placed 1 {drawn.key} {self.regions!r} {rows!r} {self.exclusive}".encode(), digest_size=20
        )
        total.update(b"" if field is None else field.key.encode() + field.entry.tobytes())
        total.update(drawn.entry.tobytes())
        for row in rows:
            place = self.place(row)
            total.update(repr(place.shape).encode() + np.asarray(place.to_source, dtype=np.float64).tobytes())
        return f"placed-{total.hexdigest()}"


def _some_points(
    layers: UInt8[np.ndarray, " layer *grid"], regions: int, row: int, *, exclusive: bool
) -> tuple[Int[np.ndarray, "_ _"], ...]:
    """Up to 512 points of each region that lie where we look, drawn once for all."""
    rng = np.random.default_rng(np.random.SeedSequence((row, 0x706C6163)))  # "plac": a stream of its own
    found = []
    for region in range(regions):
        where = (layers[0] == region + 1) if exclusive else (layers[region] != 0)
        flat = np.flatnonzero(where & (layers[-1] != 0))
        if len(flat) > _POINTS:
            flat = np.sort(rng.choice(flat, _POINTS, replace=False))
        found.append(np.stack(np.unravel_index(flat, where.shape), axis=1))
    return tuple(found)
