"""How far the outline of a region lies from the true one: distances between surfaces, in the unit of the spacing.

A surface is the set of a region's points that touch a point outside it along an axis; beyond the border of the array
is outside. Distances run from the middle of one point to the middle of another.

Source: Maier-Hein L et al. Metrics reloaded. Nature Methods 2024;21:195-212; Nikolov S et al. arXiv:1809.04430.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

Mask = Bool[np.ndarray, "*grid"]
PERCENTILE = 95.0


@dataclass(frozen=True)
class Surfaces:
    """Distances between two surfaces.

    Attributes:
        to_truth: From each point of the predicted surface to the nearest point of the true one.
        to_predicted: From each point of the true surface to the nearest point of the predicted one.
    """

    to_truth: Float[np.ndarray, " predicted"]
    to_predicted: Float[np.ndarray, " true"]


def compare(predicted: Mask, truth: Mask, spacing: tuple[float, ...]) -> Surfaces | None:
    """Distances between the surfaces of two masks; None where either is empty.

    Args:
        predicted: What the model says.
        truth: What is there, of the same shape.
        spacing: Length of one step along each axis.
    """
    if not predicted.any() or not truth.any():
        return None
    box = around(predicted | truth)
    ours, theirs = surface(predicted[box]), surface(truth[box])
    return Surfaces(_distances(ours, theirs, spacing), _distances(theirs, ours, spacing))


def hausdorff_95(surfaces: Surfaces) -> float:
    """The distance that 95 of 100 surface points stay within; the worse of the two directions. 0 is perfect.

    Source: Huttenlocher DP et al. IEEE TPAMI 1993;15:850-863 (ranked distances), as MONAI computes it.
    """
    return float(max(np.percentile(surfaces.to_truth, PERCENTILE), np.percentile(surfaces.to_predicted, PERCENTILE)))


def surface_dice(surfaces: Surfaces, tolerance: float) -> float:
    """Share of both surfaces that lies within ``tolerance`` of the other; 1 is perfect.

    Points are counted, not the area of the surface between them, which is what MONAI does unless told otherwise.

    Source: Nikolov S et al. arXiv:1809.04430.
    """
    near = int((surfaces.to_truth <= tolerance).sum()) + int((surfaces.to_predicted <= tolerance).sum())
    return near / (len(surfaces.to_truth) + len(surfaces.to_predicted))


def surface(mask: Mask) -> Mask:
    """The points of a region that touch the outside along an axis."""
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def around(mask: Mask) -> tuple[slice, ...]:
    """The smallest box that holds all true points; the whole array where there are none."""
    if not mask.any():
        return tuple(slice(0, n) for n in mask.shape)
    box = []
    for axis in range(mask.ndim):
        along = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        box.append(slice(int(along[0]), int(along[-1]) + 1))
    return tuple(box)


def _distances(of: Mask, to: Mask, spacing: tuple[float, ...]) -> Float[np.ndarray, " point"]:
    return np.asarray(ndimage.distance_transform_edt(~to, sampling=spacing)[of])
