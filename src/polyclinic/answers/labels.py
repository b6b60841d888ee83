"""Several yes-or-no labels at once."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class LabelsAnswer(Answer):
    """Several yes-or-no labels at once, each of which may be unknown.

    Attributes:
        labels: Names in the user's words.
        probabilities: Calibrated chance of each label.
        raw: The same before calibration.
        truth: 0, 1 or NaN.
    """

    form: ClassVar[str] = "labels"
    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "sample label"]
    raw: Float[np.ndarray, "sample label"]
    truth: Float[np.ndarray, "sample label"]
