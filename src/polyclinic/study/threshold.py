"""The rule by which a chance becomes a yes or a no, as a study writes it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


class Aim(StrEnum):
    """What a threshold is chosen for."""

    YOUDEN = "youden"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    GIVEN = "given"


@dataclass(frozen=True)
class ThresholdRule:
    """How the threshold of a question with two answers is found.

    Attributes:
        aim: What it is chosen for.
        level: The least sensitivity or specificity, or the threshold itself where it is given; 0 for Youden's.
    """

    aim: Aim
    level: float = 0.0

    @property
    def written(self) -> str | float:
        """The rule as a study writes it."""
        if self.aim is Aim.GIVEN:
            return self.level
        return self.aim.value if self.aim is Aim.YOUDEN else f"{self.aim}:{self.level:g}"


YOUDEN = ThresholdRule(Aim.YOUDEN)


def read_rule(written: str | float) -> ThresholdRule:
    """The rule that a study means.

    Example:
        >>> read_rule("sensitivity:0.95").level
        0.95

    Raises:
        ValueError: if it is none, or a share does not lie between 0 and 1.
    """
    word, _, level = f"given:{written}".partition(":") if not isinstance(written, str) else written.partition(":")
    if word == Aim.YOUDEN and not level:
        return YOUDEN
    rule = ThresholdRule(Aim(word), float(level))
    if rule.aim is Aim.YOUDEN or not 0 < rule.level < 1 or (isinstance(written, str) and rule.aim is Aim.GIVEN):
        raise ValueError(written)
    return rule


def _readable(written: str | float) -> str | float:
    try:
        read_rule(written)
    except ValueError:
        rule = 'must be "youden", a number between 0 and 1, "sensitivity:0.95" or "specificity:0.9"'
        raise PydanticCustomError("threshold", rule) from None
    return written


WrittenRule = Annotated[str | float, AfterValidator(_readable)]
"""A rule as it stands in a study file."""
