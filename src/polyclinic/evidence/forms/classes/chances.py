"""What is the same whether two classes are judged or several."""

from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.classes import ClassAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.forms.base import Judge
from polyclinic.evidence.soundness import check_chances, check_simplex


def confusion(case: Any, classes: int) -> tuple[tuple[int, ...], ...]:
    """How often each true class (row) was answered with each class (column)."""
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (case.truth.astype(int), case.decision.astype(int)), 1)
    return tuple(tuple(row) for row in table.tolist())


class ChancesJudge(Judge):
    """Judges the chances of classes."""

    classes: tuple[str, ...]

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes

    @classmethod
    def of(cls, answer: ClassAnswer) -> Self:
        """The judge of answers like this one."""
        return cls(answer.classes)

    def known(self, answer: ClassAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have a known class."""
        return np.asarray(np.isfinite(answer.truth))

    def truth(self, answer: ClassAnswer) -> Float[np.ndarray, "sample part"]:
        """Number of the true class."""
        return answer.truth[:, None]

    def check(self, answer: ClassAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Chances must lie between 0 and 1 and sum to 1."""
        return check_chances(answer.probabilities, rows, place) + check_simplex(answer.probabilities, rows, place)
