"""Values with intervals on one shared line: the rows of a forest plot, and a model beside the plain one.

These are drawn in shares of the width, so that they fit a table cell on a screen of any size.
"""

from collections.abc import Sequence
from itertools import pairwise

from polyclinic.delivery.figures.axes import AxisScale, limits, ticks
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.evidence.records import Estimate

_SIGN = 0.06
"""Room that a sign of a label takes on the narrowest strip, as a share of its width."""


class Strip(AxisScale):
    """The range of values that a row of cells shares, in shares of its width."""

    def position(self, value: float) -> str:
        """Where a value lies, as per cent of the width."""
        return f"{100 * self.at(value):.2f}%"


def strip(estimates: Sequence[Estimate], *also: float) -> Strip:
    """A range that holds all values with their intervals."""
    ends = [end for e in estimates for end in (e.low, e.value, e.high)]
    low, high = limits([*ends, *also], 0.08)
    return Strip(low, high)


def whisker(scale: Strip, estimate: Estimate, css: str, reference: float | None = None, height: int = 28) -> Element:
    """A dot with its interval where it is known, and a line at ``reference``."""
    middle = height / 2
    rule = EMPTY
    if reference is not None:
        x = scale.position(reference)
        rule = element("line", class_="reference", x1=x, x2=x, y1=0, y2=height)
    return element("svg", rule, _mark(scale, estimate, css, middle), class_="strip", height=height, aria_hidden="true")


def pair(scale: Strip, ours: Estimate, plain: Estimate) -> Element:
    """Ours above, the plain model below, on one scale with its ticks."""
    foot = 44
    marks = []
    for tick, text in _labels(scale, foot + 15):
        marks += [element("line", class_="grid", x1=tick, x2=tick, y1=2, y2=foot), text]
    rows = (_mark(scale, ours, "ours", 14), _mark(scale, plain, "base", 32))
    return element("svg", *marks, *rows, class_="strip", height=foot + 20, aria_hidden="true")


def scale_row(scale: Strip) -> Element:
    """The ticks under a forest plot."""
    return element("svg", *(text for _, text in _labels(scale, 13)), class_="strip", height=18, aria_hidden="true")


def _labels(scale: Strip, y: float) -> list[tuple[str, Element]]:
    """Places of the ticks and what they say, all with as many decimals as the finest needs."""
    found = ticks(scale.low, scale.high, 4)
    found = found[1:3] if len(found) == 4 else found  # four labels would touch on a narrow card
    decimals = max(len(f"{tick:.6g}".partition(".")[2]) for tick in found) if found else 0
    words = [f"{tick:.{decimals}f}".replace("-", "\N{MINUS SIGN}") for tick in found]
    close = any(scale.at(after) - scale.at(before) < _SIGN * max(map(len, words)) for before, after in pairwise(found))
    kept = list(zip(found, words, strict=True))[:: 2 if close else 1]
    return [(scale.position(tick), _label(scale, tick, text, y)) for tick, text in kept]


def _label(scale: Strip, tick: float, words: str, y: float) -> Element:
    """Labels near an end turn inwards, so that none is cut off."""
    share = scale.at(tick)
    anchor = "start" if share < 0.08 else "end" if share > 0.92 else "middle"
    return element("text", words, class_=f"tick {anchor}", x=scale.position(tick), y=y)


def _mark(scale: Strip, estimate: Estimate, css: str, y: float) -> Element:
    whole = EMPTY
    if estimate.low is not None and estimate.high is not None:
        ends = {"x1": scale.position(estimate.low), "x2": scale.position(estimate.high)}
        whole = element("line", class_=f"whisker {css}", **ends, y1=y, y2=y)
    if estimate.value is None:
        return whole
    return join(whole, element("circle", class_=f"dot {css}", cx=scale.position(estimate.value), cy=y, r=4.5))
