"""Objects one by one, as numbers on a grid."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class CellsAnswer(Answer):
    """Objects one by one, as numbers on the grid of the file: 0 = none, else the number of the cell.

    Attributes:
        unit: Unit of the spacing: "um" or "px".
        spacing: Length of a step along each axis, NaN where not known.
        scores: Packed float32: how sure the model is of each predicted cell, in order of their numbers.
        predicted: Packed int32 "*grid".
        truth: Packed int32 "*grid"; empty = not known.
    """

    form: ClassVar[str] = "cells"
    unit: str
    spacing: Float[np.ndarray, "sample dim"]
    scores: Shaped[np.ndarray, " sample"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]
