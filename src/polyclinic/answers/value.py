"""A number."""

from dataclasses import dataclass
from typing import ClassVar

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

    form: ClassVar[str] = "value"
    unit: str
    value: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]
