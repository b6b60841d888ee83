"""Several yes-or-no labels at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float

from polyclinic.answers.base import Answer, Constants, chance_columns, floats, numbers, read_chances


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

    @staticmethod
    def average(answers: Sequence["LabelsAnswer"]) -> "LabelsAnswer":
        """The mean of the probabilities."""
        probabilities = np.mean([answer.probabilities for answer in answers], axis=0)
        raw = np.mean([answer.raw for answer in answers], axis=0)
        return replace(answers[0], probabilities=probabilities, raw=raw)

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two labels; a flawed chance is above 1."""
        truth = np.stack([np.arange(samples) % 2, np.arange(samples) // 2 % 2], axis=1).astype(np.float64)
        chances = np.clip(0.2 + 0.6 * truth + rng.uniform(-0.2, 0.2, truth.shape), 0, 1) + flawed
        return cls(("fever", "cough"), chances, chances, truth)

    def constants(self) -> Constants:
        """The names of the labels."""
        return Constants(self.labels)

    def columns(self) -> dict[str, pl.Series]:
        """Truth and chance of each label."""
        truth = {f"truth_{name}": numbers(self.truth[:, k]) for k, name in enumerate(self.labels)}
        return truth | chance_columns(self.labels, self.probabilities, self.raw)

    @classmethod
    def read(cls, frame: pl.DataFrame, constants: Constants) -> Self:
        """The answer out of its columns."""
        truth = np.stack([floats(frame[f"truth_{name}"]) for name in constants.names], axis=1)
        return cls(constants.names, *read_chances(frame, constants.names), truth)
