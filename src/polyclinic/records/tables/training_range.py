"""What the training rows of a column of numbers were like: new values beyond them, and values no patient can have.

Nothing is stored for it: lowest, highest and the values between are the edges that a plan holds anyway, so a bundle of
any age can be asked. numpy only, no torch.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.cohort.plausible import possible_range
from polyclinic.records.tables.scaling import NumberPlan, unscaled

_MARGIN = 0.5
"""Share of the outermost piece that a new value may lie beyond the outermost training value.

That piece holds about 50 patients (a quarter of less than 200), so it is long where the tail is. With 200 training rows
it leaves out, of 1000 new patients of the same sort, 0.7 (normal values), 1.1 (exponential) and 1.7 (lognormal), and
without a margin 9 to 11; a round number."""
_NO_ROUNDING = 1e-9
"""In scales: an edge that is bent and unbent again is exact to far more digits."""
_FEWEST_OUTSIDE = 3
"""So many values, all outside, are no odd patients any more; a round number."""
_FEWEST_FOR_MIDDLE = 10
"""From so many values on their median says where they lie; a round number."""
_POWERS = (10.0, 100.0, 1000.0, 0.1, 0.01, 0.001)
"""By which units of laboratory values mostly differ: mg/dL and mg/L, g and mg, mmol and umol."""
_NEAR_POWER = 0.15
"""In decimal logarithms: 7 to 14 times is near 10 times; a round number."""


@dataclass(frozen=True)
class TrainingRange:
    """Where the training values of a column lie.

    Attributes:
        name: The column.
        low: Below it a new value is outside.
        high: Above it a new value is outside.
        inner: Where the outermost pieces of the training values begin.
        middle: Their median.
        possible: What a patient can have, where the name of the column leaves no doubt.
    """

    name: str
    low: float
    high: float
    inner: tuple[float, float]
    middle: float
    possible: tuple[float, float] | None

    def outside(self, values: Float[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
        """Values that lie beyond all that training rows hold; never those that are missing."""
        return np.asarray((values < self.low) | (values > self.high))

    def impossible(self, values: Float[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
        """Values that no living patient has, in the unit of the training rows."""
        if self.possible is None:
            return np.zeros(len(values), dtype=bool)
        return np.asarray((values < self.possible[0]) | (values > self.possible[1]))

    def other_unit(self, values: Float[np.ndarray, " row"]) -> str | None:
        """What makes one think that all values are in another unit, in words; None where nothing does."""
        known = values[~np.isnan(values)]
        if len(known) < _FEWEST_OUTSIDE:
            return None
        power = self._power(float(np.median(known)))
        times = "" if power is None else f", about {power:g} times those"
        if self.outside(known).all():
            return f"all {len(known)} lie outside the range seen in training{times}"
        low, high = self.inner
        apart = power is not None and len(known) >= _FEWEST_FOR_MIDDLE and not low <= np.median(known) <= high
        return (
            f"the middle of {len(known)} values is about {power:g} times that of the training rows" if apart else None
        )

    def _power(self, median: float) -> float | None:
        """The power of ten by which a median differs from that of the training rows; None if by none."""
        if median * self.middle <= 0:
            return None
        size = np.log10(median / self.middle)
        return next((power for power in _POWERS if abs(size - np.log10(power)) <= _NEAR_POWER), None)


def training_range(plan: NumberPlan) -> TrainingRange:
    """The range of a column, from its plan.

    A value is outside if it lies beyond the lowest or highest training value by more than half the length of the
    outermost piece of the training values; and below 0 in a column where no training value was, such as an amount.
    """
    edges = np.full(3, plan.center) if plan.scale == 0 else unscaled(np.array(plan.edges), plan)
    lowest, low, high, highest = float(edges[0]), float(edges[1]), float(edges[-2]), float(edges[-1])
    below = lowest - _MARGIN * (low - lowest)
    return TrainingRange(
        name=plan.name,
        low=max(below, 0.0) if lowest >= -_NO_ROUNDING * plan.scale else below,
        high=highest + _MARGIN * (highest - high),
        inner=(low, high),
        middle=plan.center,
        possible=possible_range(plan.name, lowest, highest),
    )
