"""Views of volumes that lie on grids: at random for training, overlapping windows for answering."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from polyclinic.layers.volumes.jitter3d import Affine, Jitter3d, draw_movement, relight, take_views
from polyclinic.tensors import Movement

_MARGIN = 1.25
"""A moved view is taken from a cut this much larger: what turns in at its corners is the scan, not padding."""
_INNER = 0.75
"""Share of the view within which the point aimed at lies, so that much around it is seen; a round number."""
_WINDOW_POINTS = 1 << 19
"""Points of windows answered together: bounds the memory; a round number."""
_MANY = 64
"""Windows of a scan beyond which they overlap by a quarter instead of a half: answering takes time; a round number."""


Rows = Int[np.ndarray, " batch"]
Aims = Float[np.ndarray, "batch dim"]
"""A point of each row's grid that a view must hold; NaN = any view will do."""
View = tuple[Float[Tensor, "batch channel *grid"], Movement]
"""What is seen of some rows, and how it was taken."""
Extent = tuple[int, ...]
Point = Float[np.ndarray, " axis"]
Turn = Float[Tensor, "3 4"]


@runtime_checkable
class Grids(Protocol):
    """Records on grids, by row."""

    def shape(self, row: int) -> tuple[int, ...] | None:
        """Points along each axis, None where absent."""

    def cut(self, row: int, start: Sequence[int], size: Sequence[int]) -> Float[np.ndarray, "..."]:
        """A box: of a scan without channels, 0 beyond it; of a picture with channels last, its border repeated."""


@dataclass(frozen=True)
class Viewer:
    """Takes views.

    Attributes:
        extent: Points of a view along each axis.
        steps: Length of a step along each axis.
        strength: How far views may change while training.
    """

    extent: tuple[int, ...]
    steps: tuple[float, ...]
    strength: Jitter3d

    def draw(self, grids: Grids, index: Rows, aim: Aims, generator: Generator, *, change: bool) -> View:
        """One view of each row that holds the point aimed at (NaN = any), moved and relit where ``change`` is asked."""
        moves = change and self.strength.moves
        cut = tuple(n if n == 1 else ceil(_MARGIN * n) for n in self.extent) if moves else self.extent
        affine = None
        if moves:
            affine = draw_movement(len(index), self.extent, cut, self.steps, self.strength, generator)
        chances = torch.rand(len(index), 2, 3, generator=generator).numpy().astype(np.float64)
        starts = [
            self._start(grids.shape(int(row)), point, chance, cut, None if affine is None else affine[n])
            for n, (row, point, chance) in enumerate(zip(index, aim, chances, strict=True))
        ]
        boxes = [grids.cut(int(row), start, cut) for row, start in zip(index, starts, strict=True)]
        voxels = torch.from_numpy(np.stack(boxes)[:, None])
        if affine is not None:
            voxels = take_views(voxels, affine, self.extent)
        if change:
            voxels = relight(voxels, self.strength, generator)
        return voxels, Movement(torch.tensor(starts, dtype=torch.int64), cut, affine, self.extent)

    def whole(
        self, voxels: Float[Tensor, "batch 1 i j k"], generator: Generator
    ) -> tuple[Float[Tensor, "batch 1 i j k"], Affine | None]:
        """Whole volumes moved and relit."""
        affine = None
        if self.strength.moves:
            affine = draw_movement(len(voxels), self.extent, self.extent, self.steps, self.strength, generator)
            voxels = take_views(voxels, affine, self.extent)
        return relight(voxels, self.strength, generator), affine

    def windows(self, grids: Grids, row: int) -> Iterator[View]:
        """Views that cover a row, as many at a time as make half a million points."""
        shape = grids.shape(row)
        if shape is None:
            return
        starts = window_starts(shape, self.extent, 0.5)
        if len(starts) > _MANY:
            starts = window_starts(shape, self.extent, 0.25)
        for part, movement in some_at_a_time(starts, self.extent, _WINDOW_POINTS):
            boxes = np.stack([grids.cut(row, start, self.extent) for start in part])
            yield torch.from_numpy(boxes[:, None]), movement

    def _start(
        self,
        shape: Extent | None,
        aim: Point,
        chance: Float[np.ndarray, "2 axis"],
        cut: Extent,
        affine: Turn | None,
    ) -> list[int]:
        """First point of a cut.

        Without aim: anywhere that keeps the view within the grid, or around a grid that is smaller. With aim: the
        point lies anywhere in the inner three quarters of the view, and nearer the rim where the grid ends.
        """
        if shape is None:
            return [0] * len(cut)
        sides, view, box = (np.array(one, dtype=np.float64) for one in (shape, self.extent, cut))
        rim = (box - view) / 2
        least = np.where(sides < view, (sides - view) / 2, 0) - rim
        most = np.where(sides < view, (sides - view) / 2, sides - view) - rim
        free = least + chance[0] * (most - least)
        if np.isnan(aim).any():
            return [int(n) for n in np.floor(free + 0.5)]
        wanted = aim - self._inside(_INNER * (2 * chance[1] - 1), cut, affine)
        start = np.floor(np.clip(wanted, least, most) + 0.5)
        if not self._seen(aim - start, cut, affine):
            start = np.floor(wanted + 0.5)
        return [int(n) for n in start]

    def _inside(self, point: Point, cut: Extent, affine: Turn | None) -> Point:
        """A point of the view in [-1, 1] as a position in the cut."""
        if affine is not None:
            matrix = affine.numpy().astype(np.float64)
            point = (matrix[:, :3] @ point[::-1] + matrix[:, 3])[::-1]
        position: Point = ((point + 1) * np.array(cut) - 1) / 2
        return position

    def _seen(self, position: Point, cut: Extent, affine: Turn | None) -> bool:
        """Whether a position in the cut lies in the view."""
        point = (2 * position + 1) / np.array(cut) - 1
        if affine is not None:
            matrix = affine.numpy().astype(np.float64)
            point = np.linalg.solve(matrix[:, :3], point[::-1] - matrix[:, 3])[::-1]
        return bool((np.abs(point) <= 1 - 1 / np.array(self.extent)).all())


def window_starts(shape: Sequence[int], size: Sequence[int], overlap: float) -> list[Extent]:
    """First points of windows that cover a grid, evenly spread, neighbours sharing at least ``overlap`` of a side.

    Where the grid is shorter than the window, the window reaches beyond it on both sides.
    """
    starts: list[list[int]] = []
    for side, length in zip(shape, size, strict=True):
        if side <= length:
            starts.append([-((length - side) // 2)])
            continue
        count = ceil((side - length) / max(1.0, length * (1 - overlap)) - 1e-9) + 1
        starts.append([round(float(first)) for first in np.linspace(0, side - length, count)])
    return list(itertools.product(*starts))


def some_at_a_time(starts: list[Extent], extent: Extent, most: int) -> Iterator[tuple[list[Extent], Movement]]:
    """First points of windows, as many at a time as make ``most`` points, and how these windows are taken."""
    together = max(1, most // prod(extent))
    for first in range(0, len(starts), together):
        part = starts[first : first + together]
        yield part, Movement(torch.tensor(part, dtype=torch.int64), extent, None, extent)
