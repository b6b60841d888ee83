"""One of several classes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class ClassAnswer(Answer):
    """One of several classes. With two classes the second is the positive one.

    Attributes:
        classes: Names in the user's words.
        probabilities: Calibrated, each row sums to 1.
        raw: The same before calibration.
        truth: Class index as a float, NaN where not known.
    """

    form: ClassVar[str] = "classes"
    classes: tuple[str, ...]
    probabilities: Float[np.ndarray, "sample klass"]
    raw: Float[np.ndarray, "sample klass"]
    truth: Float[np.ndarray, " sample"]
