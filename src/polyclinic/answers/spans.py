"""Stretches of a text."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Shaped

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class SpanAnswer(Answer):
    """Stretches of a text, with what they are; offsets count code points of the text as given.

    Attributes:
        labels: Names in the user's words.
        assertions: Names of what may be said of a span, such as "negated"; empty where nothing is.
        predicted: Packed float64 "span 5": start, end, label, confidence, assertion (-1 = none).
        truth: Packed float64 "span 5": start, end, label, 1 if the training rows hold this mention, assertion.
    """

    form: ClassVar[str] = "spans"
    labels: tuple[str, ...]
    assertions: tuple[str, ...]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]
