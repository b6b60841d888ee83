"""Answers to overlapping windows put together on one grid: each counts most in its middle, where it sees all around.

Source: Isensee et al., nnU-Net, Nature Methods 2021 (Gaussian weights, a spread of an eighth of the side).
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, UInt16

from polyclinic.geometry import Lattice, overlap, to_file

_SPREAD = 0.125  # of the side: standard deviation of the weight of a window, 1/8 as in nnU-Net
_LEAST = 1e-3  # weight at the corners, so that every point has one
_SLAB = 1 << 22  # points at a time: bounds the memory
_LEVELS = 65535  # largest number of 16 bits

Weights = Float[np.ndarray, "*size"]
Weigh = Callable[[Sequence[int]], Weights]


class Gathered:
    """A weighted sum of windows; memory is one float32 per channel and point of the grid, and one for the weights.

    Args:
        channels: Numbers at every point.
        shape: Points of the grid along each axis.
        weigh: How much each point of a window of some size counts; None = as a bell.
    """

    def __init__(self, channels: int, shape: tuple[int, ...], weigh: Weigh | None = None) -> None:
        self._weigh = weigh or bell
        self.total = np.zeros((channels, *shape), dtype=np.float32)
        self.weight = np.zeros(shape, dtype=np.float32)
        self._window: dict[tuple[int, ...], Weights] = {}

    def add(self, window: Float[np.ndarray, " channel *size"], start: Sequence[int]) -> None:
        """One window; what lies beyond the grid is left out."""
        size = window.shape[1:]
        if size not in self._window:
            self._window[size] = self._weigh(size)
        here, there = overlap(start, size, self.weight.shape)
        weight = self._window[size][here]
        self.total[(slice(None), *there)] += window[(slice(None), *here)] * weight
        self.weight[there] += weight

    def mean(self, channel: int) -> Float[np.ndarray, "*grid"]:
        """The weighted mean of one channel, found in place and slab by slab; ask for each channel once."""
        total = self.total[channel]
        rows = max(1, _SLAB // max(1, int(np.prod(total.shape[1:]))))
        for first in range(0, len(total), rows):
            slab = slice(first, first + rows)
            np.divide(total[slab], self.weight[slab], out=total[slab], where=self.weight[slab] > 0)
        return np.asarray(total)

    def in_file(self, place: Lattice) -> UInt16[np.ndarray, " channel *file"]:
        """Every channel as a probability in the geometry of the file; once, as ``mean`` is."""
        found = np.empty((len(self.total), *place.source.shape), dtype=np.uint16)
        for channel in range(len(self.total)):
            found[channel] = quantised(to_file(self.mean(channel), place))
        return found


def bell(size: Sequence[int]) -> Weights:
    """Weights of a window: 1 in its middle, falling to the sides, nowhere below a thousandth."""
    weight = np.ones((), dtype=np.float32)
    for side in size:
        away = (np.arange(side) - (side - 1) / 2) / (_SPREAD * side)
        weight = weight[..., None] * np.exp(-0.5 * away**2).astype(np.float32)
    return np.maximum(weight, np.float32(_LEAST))


def pyramid(size: Sequence[int]) -> Weights:
    """Weights of a flat window: 1 in its middle, falling evenly to a little at its rim."""
    down, across = (np.minimum(np.arange(side), np.arange(side)[::-1]) + 1 for side in size)
    weight = (down[:, None] * across[None, :]).astype(np.float32)
    return np.asarray(weight / weight.max())


def quantised(chances: Float[np.ndarray, "*grid"]) -> UInt16[np.ndarray, "*grid"]:
    """Probabilities in 65536 levels, the highest = certain; slab by slab. Fine enough to be made milder later."""
    found = np.empty(chances.shape, dtype=np.uint16)
    for position in range(len(chances)):
        found[position] = np.rint(np.clip(chances[position], 0, 1) * _LEVELS)
    return found
