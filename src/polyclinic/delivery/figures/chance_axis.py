"""A scale for chances in per cent: straight, or by log-odds where they crowd at the ends."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polyclinic.evidence.records import CurvePoint

EDGE = 0.05
"""Chances nearer than this to 0 or 1 stand at an end; a round number."""
CROWD = 0.8
"""Above this share of chances at the ends, most of a straight scale would show hardly anybody; a round number."""
_NEAREST = 0.001
"""One in a thousand: log-odds have no end, and what is rarer than that is not told apart by a cohort of usual size."""
_LOW_HALF = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Round numbers about evenly spaced by log-odds; the upper half mirrors them."""
_FINE = (*_LOW_HALF, *(round(1 - chance, 3) for chance in reversed(_LOW_HALF[:-1])))
_COARSE = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
"""Fewer of them for the whole scale, on which the fine ones would touch."""
_ROOM = 8.0
"""Log-odds beyond which the fine ticks would touch each other; 360 units wide, labels 32 units apart."""
_STRAIGHT = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ticks of a straight scale, as ``ticks`` finds them too."""


@dataclass(frozen=True)
class ChanceAxis:
    """From chances to places on a scale.

    Attributes:
        low: Lowest chance shown.
        high: Highest chance shown.
        by_odds: Whether places are log-odds.
    """

    low: float = 0.0
    high: float = 1.0
    by_odds: bool = False

    def at(self, chance: float | None) -> float | None:
        """The place of a chance; one beyond an end stands at the end."""
        return None if chance is None else self.place(chance)

    def place(self, chance: float) -> float:
        """The same of a chance that is known."""
        held = min(max(chance, self.low), self.high)
        return math.log(held / (1 - held)) if self.by_odds else held

    @property
    def ends(self) -> tuple[float, float]:
        """Places of both ends."""
        return self.place(self.low), self.place(self.high)

    def marks(self) -> Mapping[float, str]:
        """Places of the ticks, and what they say."""
        low, high = self.ends
        ticks = _STRAIGHT if not self.by_odds else _FINE if high - low < _ROOM else _COARSE
        return {self.place(tick): f"{100 * tick:g}%" for tick in ticks if self.low <= tick <= self.high}


def chance_axis(curve: Sequence[CurvePoint], others: Iterable[CurvePoint] = ()) -> ChanceAxis:
    """The scale that suits our calibration curve, wide enough for ``others`` too.

    By log-odds where more than 80 of 100 patients stand in groups whose mean chance is below 5 % or above 95 %.
    """
    if not crowded(curve):
        return ChanceAxis()
    known = [
        value
        for point in (*curve, *others)
        for value in (point.predicted, point.observed)
        if value is not None and 0 < value < 1
    ]
    low = max((mark for mark in _FINE if mark <= min(known, default=0.0)), default=_NEAREST)
    high = min((mark for mark in _FINE if mark >= max(known, default=1.0)), default=1 - _NEAREST)
    return ChanceAxis(low, high, by_odds=True) if low < high else ChanceAxis()


def crowded(curve: Sequence[CurvePoint]) -> bool:
    """Whether nearly all stand at the ends."""
    sizes = [(point.predicted, point.n or 1) for point in curve if point.predicted is not None]
    near = sum(n for chance, n in sizes if min(chance, 1 - chance) < EDGE)
    return near > CROWD * sum(n for _, n in sizes)
