"""Masks that anybody can draw again: balls and boxes on grids of unequal spacing, by formula alone."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shape:
    """A grid, and balls (middle and radius in the unit of the spacing) of the truth and of the prediction."""

    extent: tuple[int, ...]
    spacing: tuple[float, ...]
    truth: tuple[tuple[float, ...], ...]
    predicted: tuple[tuple[float, ...], ...]


SHAPES = {
    "flat": Shape((40, 50), (1.0, 1.0), ((15, 20, 8),), ((16, 22, 7),)),
    "flat_anisotropic": Shape((40, 50), (0.5, 1.7), ((9, 30, 7), (14, 66, 5)), ((10, 32, 6.2), (4, 8, 3))),
    "thick_slices": Shape((30, 28, 12), (0.8, 0.8, 5.0), ((12, 11, 30, 9),), ((13.5, 10, 32, 8.5),)),
    "border": Shape((20, 18, 16), (1.2, 0.9, 2.0), ((0, 4, 10, 7), (18, 12, 24, 4)), ((2, 3, 12, 7), (10, 14, 6, 3))),
    "far_lesions": Shape(
        (32, 32, 20),
        (1.0, 1.0, 3.0),
        ((6, 6, 9, 4), (24, 8, 30, 5), (16, 26, 45, 4)),
        ((7, 6, 10, 4), (24, 20, 12, 4), (4, 28, 50, 3)),
    ),
}


def balls(extent, spacing, found):
    """Points within any of the balls."""
    axes = np.meshgrid(*[np.arange(n) * step for n, step in zip(extent, spacing, strict=True)], indexing="ij")
    mask = np.zeros(extent, dtype=bool)
    for *middle, radius in found:
        mask |= sum((axis - at) ** 2 for axis, at in zip(axes, middle, strict=True)) <= radius**2
    return mask


def pair(name):
    """Predicted and true mask of a shape."""
    shape = SHAPES[name]
    return tuple(balls(shape.extent, shape.spacing, found) for found in (shape.predicted, shape.truth))
