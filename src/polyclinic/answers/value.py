"""A number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float

from polyclinic.answers.base import Answer, Constants, floats, numbers


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

    @staticmethod
    def average(answers: Sequence["ValueAnswer"]) -> "ValueAnswer":
        """The mean of the numbers."""
        return replace(answers[0], value=np.mean([answer.value for answer in answers], axis=0))

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Numbers about 50; a flawed one is without end."""
        truth = rng.normal(50, 10, samples)
        return cls("kg", np.full(samples, np.inf) if flawed else truth + rng.normal(0, 3, samples), truth)

    def constants(self) -> Constants:
        """The unit."""
        return Constants(unit=self.unit)

    def columns(self) -> dict[str, pl.Series]:
        """The measured and the predicted number."""
        return {"truth": numbers(self.truth), "value": numbers(self.value)}

    @classmethod
    def read(cls, frame: pl.DataFrame, constants: Constants) -> Self:
        """The answer out of its columns."""
        return cls(constants.unit, floats(frame["value"]), floats(frame["truth"]))
