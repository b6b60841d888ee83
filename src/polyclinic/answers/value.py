"""A number."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class ValueAnswer(Answer):
    """A number.

    Attributes:
        unit: Unit of the number in the user's words, or "".
        value: The predicted number.
        truth: The measured number.
    """

    unit: str
    value: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]
