"""One of several classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float

from polyclinic.answers.base import Answer, Constants, chance_columns, read_chances


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

    @staticmethod
    def average(answers: Sequence["ClassAnswer"]) -> "ClassAnswer":
        """The mean of the probabilities."""
        probabilities = np.mean([answer.probabilities for answer in answers], axis=0)
        raw = np.mean([answer.raw for answer in answers], axis=0)
        return replace(answers[0], probabilities=probabilities, raw=raw)

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two classes; a flawed chance is above 1."""
        truth = (np.arange(samples) % 2).astype(np.float64)
        yes = np.clip(0.2 + 0.6 * truth + rng.uniform(-0.2, 0.2, samples), 0, 1) + flawed
        chances = np.stack([1 - yes, yes], axis=1)
        return cls(("no", "yes"), chances, chances, truth)

    def constants(self) -> Constants:
        """The names of the classes."""
        return Constants(self.classes)

    def columns(self) -> dict[str, pl.Series]:
        """The true class in words, and a chance for each class."""
        truth = [self.classes[int(k)] if np.isfinite(k) else None for k in self.truth]
        chances = chance_columns(self.classes, self.probabilities, self.raw)
        return {"truth": pl.Series(truth, dtype=pl.String), **chances}

    @classmethod
    def read(cls, frame: pl.DataFrame, constants: Constants) -> Self:
        """The answer out of its columns."""
        number = {name: float(k) for k, name in enumerate(constants.names)}
        truth = np.array([number.get(name, np.nan) for name in frame["truth"].to_list()], dtype=np.float64)
        return cls(constants.names, *read_chances(frame, constants.names), truth)
