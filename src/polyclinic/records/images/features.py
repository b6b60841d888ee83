"""Plain features of an image, for the baseline: what it looks like from afar, its histogram, its edges. No torch."""

import numpy as np
from jaxtyping import Float

from polyclinic.formats.pictures.frame import Frame
from polyclinic.records.images.resize import resized

_SIDE = 32
"""Pixels a side of what is described; cells and thumbnail divide it. This and all below are round numbers."""
_THUMBNAIL = 8
_BINS = 16
_CELLS = 4
_DIRECTIONS = 8

NAMES = (
    *(f"thumbnail_{row}_{column}" for row in range(_THUMBNAIL) for column in range(_THUMBNAIL)),
    *(f"histogram_{level}" for level in range(_BINS)),
    *(f"edges_{row}_{column}_{way}" for row in range(_CELLS) for column in range(_CELLS) for way in range(_DIRECTIONS)),
    *(f"{what}_{colour}" for what in ("mean", "spread") for colour in ("red", "green", "blue")),
)
"""Names of the features, in order."""


def describe(frame: Frame) -> Float[np.ndarray, " feature"]:
    """An image in a few hundred plain numbers, whatever its size.

    An 8 x 8 thumbnail, the share of pixels at each of 16 levels, the strength of edges in 8 directions in each of
    4 x 4 cells, and mean and spread of each colour.

    Source: the edges follow Dalal & Triggs, Histograms of oriented gradients, CVPR 2005, section 6, without blocks.
    """
    colour = resized(frame, (_SIDE, _SIDE), 3).astype(np.float64)
    grey = colour.mean(axis=2)
    levels = np.histogram(grey, bins=_BINS, range=(0, 1))[0] / grey.size
    moments = [*colour.mean(axis=(0, 1)), *colour.std(axis=(0, 1))]
    return np.concatenate([_cells(grey, _THUMBNAIL).ravel(), levels, _edges(grey).ravel(), moments])


def _cells(plane: Float[np.ndarray, "side side"], cells: int) -> Float[np.ndarray, "cell cell"]:
    step = plane.shape[0] // cells
    return np.asarray(plane.reshape(cells, step, cells, step).mean(axis=(1, 3)))


def _edges(grey: Float[np.ndarray, "side side"]) -> Float[np.ndarray, "cell cell direction"]:
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    way = np.floor(np.arctan2(down, right) % np.pi / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    by_way = np.stack([_cells(np.where(way == number, strength, 0.0), _CELLS) for number in range(_DIRECTIONS)], axis=2)
    return np.asarray(by_way / (by_way.sum() + 1e-6))
