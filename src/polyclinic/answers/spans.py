"""Stretches of a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.decoding import span_votes
from polyclinic.formats.packed import pack_all, unpack
from polyclinic.formats.readable import Entry, json_column


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

    def readable(self) -> dict[str, pl.Series]:
        """Offsets and labels, never the text."""
        return {
            "spans_predicted_json": json_column(self.listed()),
            "spans_truth_json": json_column(self._entries(self.truth, _seen)),
        }

    def listed(self) -> list[list[Entry] | None]:
        """The spans that were found in each text; None where there was none to read."""
        return self._entries(self.predicted, _confidence)

    def _entries(
        self, packed: Shaped[np.ndarray, " sample"], fourth: Callable[[float], Entry]
    ) -> list[list[Entry] | None]:
        read = [unpack(content) if content else None for content in packed]
        return [None if spans is None else [self._entry(one, fourth) for one in spans] for spans in read]

    def _entry(self, span: Float[np.ndarray, " 5"], fourth: Callable[[float], Entry]) -> Entry:
        start, end, label, value, assertion = span.tolist()
        found: Entry = {"start": int(start), "end": int(end), "label": self.labels[int(label)], **fourth(value)}
        return found | ({"assertion": self.assertions[int(assertion)]} if assertion >= 0 else {})

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two spans in each text, the second one not always found; a flawed one has a label that is none."""
        truth = np.array([[0, 4, 0, 0, -1], [8, 12, 1, 0, -1]], dtype=np.float64)
        found = np.array([[0, 4, 0, 0.9, -1], [8, 12, 1 + 8 * flawed, 0.6, -1]], dtype=np.float64)
        predicted = [found[: int(number)] for number in rng.integers(2 if flawed else 1, 3, samples)]
        return cls(("drug", "disease"), (), pack_all(predicted), pack_all([truth] * samples))


def _confidence(value: float) -> Entry:
    return {"confidence": round(value, 4)}


def _seen(value: float) -> Entry:
    return {"seen": value == 1}
