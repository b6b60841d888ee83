"""Lesions found one by one: connected parts of a region, whatever their size.

A true lesion counts as found when the prediction touches it in one point at least; a predicted part counts as false
when it touches no true lesion. Points that touch at a corner belong to one lesion.

Source: Carass A et al. NeuroImage 2017;148:77-102 (lesion-wise true and false positive rates).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from polyclinic.evidence.metrics.surface import around

Mask = Bool[np.ndarray, "*grid"]


@dataclass(frozen=True)
class Lesions:
    """Lesions of one region in one record.

    Attributes:
        true: How many there are.
        found: How many of them the prediction touches.
        false: Predicted parts that touch none.
    """

    true: int
    found: int
    false: int


def count(predicted: Mask, truth: Mask) -> Lesions:
    """How many lesions are there, how many were found, how many were made up."""
    box = around(predicted | truth)
    ours, theirs = predicted[box], truth[box]
    touching = np.ones((3,) * truth.ndim, dtype=bool)
    lesions, number = ndimage.label(theirs, touching)
    parts, made = ndimage.label(ours, touching)
    found = len(np.unique(lesions[ours & theirs]))
    right = len(np.unique(parts[ours & theirs]))
    return Lesions(int(number), found, int(made) - right)
