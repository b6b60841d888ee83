"""Views of pictures of any sizes: at random for training, overlapping windows for answering."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from polyclinic.layers.pictures.jitter import Jitter, draw_affine, jitter
from polyclinic.layers.volumes.jitter3d import take_views
from polyclinic.layers.volumes.views import Aims, Grids, Point, Rows, View, some_at_a_time, window_starts
from polyclinic.tensors import Movement

_AIMED = 0.25
"""The point aimed at lies this share of the side from the middle at most: it stays in sight however the view turns."""
_WINDOW_POINTS = 1 << 18
"""Pixels of windows answered together: bounds the memory; a round number."""
_OVERLAP = 0.5
"""As nnU-Net: every point is seen well inside of some window."""


@dataclass(frozen=True)
class PictureViewer:
    """Takes views.

    Attributes:
        extent: Height and width of a view.
        strength: How far views may change while training; shifts are left to where a view is taken.
    """

    extent: tuple[int, int]
    strength: Jitter

    def draw(self, grids: Grids, index: Rows, aim: Aims, generator: Generator, *, change: bool) -> View:
        """One view of each row that holds the point aimed at (NaN = any), moved and relit where ``change`` is asked."""
        still = replace(self.strength, shift=0.0)
        moves = change and still.moves
        cut = self._cut() if moves else self.extent
        chances = torch.rand(len(index), 2, generator=generator).numpy().astype(np.float64)
        starts = [
            self._start(grids.shape(int(row)), point, chance, cut)
            for row, point, chance in zip(index, aim, chances, strict=True)
        ]
        pixels = _stacked([grids.cut(int(row), start, cut) for row, start in zip(index, starts, strict=True)])
        affine = None
        if moves:
            affine = draw_affine(len(index), self.extent, still, generator)
            affine = affine * torch.tensor([self.extent[1] / cut[1], self.extent[0] / cut[0]])[None, :, None]
            pixels = take_views(pixels, affine, self.extent)
        if change:
            light = replace(still, zoom=0.0, tilt=0.0, mirror=False, overturn=False, quarters=False)
            pixels, _ = jitter(pixels, light, generator)
        return pixels, Movement(torch.tensor(starts, dtype=torch.int64), cut, affine, self.extent)

    def windows(self, grids: Grids, row: int) -> Iterator[View]:
        """Views that cover a row, overlapping by half, a few at a time; none where the picture is absent."""
        shape = grids.shape(row)
        if shape is None:
            return
        starts = window_starts(shape, self.extent, _OVERLAP)
        for part, movement in some_at_a_time(starts, self.extent, _WINDOW_POINTS):
            yield _stacked([grids.cut(row, start, self.extent) for start in part]), movement

    def _cut(self) -> tuple[int, int]:
        """A box large enough that what turns in at the corners of a view is the picture."""
        tilt = math.radians(min(self.strength.tilt, 45.0))
        reach = (math.cos(tilt) + math.sin(tilt)) / (1 - self.strength.zoom)
        height, width = (math.ceil(side * reach) for side in self.extent)
        return height, width

    def _start(self, shape: tuple[int, ...] | None, aim: Point, chance: Point, cut: tuple[int, int]) -> list[int]:
        """First row and column of a cut, as many pixels beyond the view on either side.

        Without aim: anywhere within the picture, or in its middle where it is smaller than a view.
        """
        if shape is None:
            return [0, 0]
        sides, view = np.array(shape, dtype=np.float64), np.array(self.extent, dtype=np.float64)
        if np.isnan(aim).any():
            least, most = np.minimum(view, sides) / 2, np.maximum(sides - view / 2, sides / 2)
            middle = least + chance * (most - least)
        else:
            away = _AIMED * float(view.min()) * (2 * chance - 1)
            rim = np.minimum(_AIMED * float(view.min()), sides / 2)
            middle = np.clip(aim + 0.5 - away, rim, sides - rim)
        return [int(n) for n in np.floor(middle - np.array(cut) / 2 + 0.5)]


def _stacked(boxes: Sequence[Float[np.ndarray, "height width channel"]]) -> Float[Tensor, "batch channel height width"]:
    return torch.from_numpy(np.stack(boxes)).permute(0, 3, 1, 2).contiguous()
