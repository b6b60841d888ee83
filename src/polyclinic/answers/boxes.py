"""Objects as boxes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class BoxAnswer(Answer):
    """Objects as boxes, in pixels of the file along the axes of its array: low corner, then high corner.

    Attributes:
        classes: Names in the user's words.
        unit: Unit of the boxes, "px".
        thresholds: From which score a box counts as found, by class.
        predicted: Packed float32 "box 2+2*dim": score, class, corners; best first.
        truth: Packed float32 "box 1+2*dim": class, corners; empty = not known.
    """

    form: ClassVar[str] = "boxes"
    classes: tuple[str, ...]
    unit: str
    thresholds: Float[np.ndarray, "sample klass"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]
