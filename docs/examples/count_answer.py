"""How often something happens: the answer, and how it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class CountAnswer(Answer):
    """How often something is expected to happen.

    Attributes:
        what: What is counted, in the user's words.
        rate: Expected number, 0 or more.
        truth: The number that was counted, NaN where not known.
    """

    form: ClassVar[str] = "count"
    what: str
    rate: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["CountAnswer"]) -> "CountAnswer":
        """The mean of the expected numbers."""
        return replace(answers[0], rate=np.mean([answer.rate for answer in answers], axis=0))

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """About two events each; a flawed answer expects less than none."""
        rate = rng.gamma(2.0, 1.0, samples)
        return cls("attacks", rate - 100 * flawed, rng.poisson(rate).astype(np.float64))
