"""How to speak about one metric."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MetricName:
    """How to speak about one metric.

    Attributes:
        english: Name.
        meaning: What it says.
        better: 1 = higher is better, -1 = lower, 0 = nearer to ``ideal``.
        ideal: The value of a perfect model.
        scale: "share" lies between 0 and 1 (or -1 and 1); "unit" carries the unit of the target; "plain" any number.
    """

    english: str
    meaning: str
    better: Literal[-1, 0, 1] = 1
    ideal: float = 1.0
    scale: Literal["share", "unit", "plain"] = "share"
