"""Stretches of a text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Shaped

from polyclinic.answers.base import Answer
from polyclinic.decoding import span_votes
from polyclinic.formats.packed import pack_all, unpack


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

    @staticmethod
    def average(answers: Sequence["SpanAnswer"]) -> "SpanAnswer":
        """The spans that most of several models found."""
        rows = zip(*(answer.predicted for answer in answers), strict=True)
        predicted = pack_all([span_votes.together([unpack(one) for one in row]) for row in rows])
        return replace(answers[0], predicted=predicted)

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two spans in each text, the second one not always found; a flawed one has a label that is none."""
        truth = np.array([[0, 4, 0, 0, -1], [8, 12, 1, 0, -1]], dtype=np.float64)
        found = np.array([[0, 4, 0, 0.9, -1], [8, 12, 1 + 8 * flawed, 0.6, -1]], dtype=np.float64)
        predicted = [found[: int(number)] for number in rng.integers(2 if flawed else 1, 3, samples)]
        return cls(("drug", "disease"), (), pack_all(predicted), pack_all([truth] * samples))
