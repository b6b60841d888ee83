"""The few marks that every figure is made of. Colours and fonts are set by class in the page's style sheet."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from polyclinic.delivery.markup import EMPTY, Element, element, join

LEFT = 46.0
RIGHT = 14.0
TOP = 30.0
BOTTOM = 46.0
"""Margins that hold tick labels of five characters at the left, and a line of names above and below."""
WIDTH = 420.0
"""Of the view box: text of 12 units is then about 12 pixels high where two figures share a row of the page."""

Numbers = Sequence[float | None]


@dataclass(frozen=True)
class AxisScale:
    """A straight line from values to positions in the figure."""

    low: float
    high: float
    start: float = 0.0
    stop: float = 1.0

    def at(self, value: float) -> float:
        """Position of a value; values outside the range stay at the nearer end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


@dataclass(frozen=True)
class Axes:
    """Where values lie in a figure, in units of its view box."""

    x: AxisScale
    y: AxisScale
    width: float
    height: float

    def point(self, x: float, y: float) -> str:
        """A pair of values as SVG coordinates."""
        return f"{short(self.x.at(x))},{short(self.y.at(y))}"


def axes(x: tuple[float, float], y: tuple[float, float], *, height: float = 330.0, below: float = BOTTOM) -> Axes:
    """Axes for values of ``x`` and ``y`` (low, high), in a figure of ``height``, with room ``below`` the x axis."""
    across = AxisScale(*_widened(x), LEFT, WIDTH - RIGHT)
    return Axes(across, AxisScale(*_widened(y), height - below, TOP), WIDTH, height)


def _widened(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def short(value: float) -> str:
    """A coordinate with one decimal: finer than any screen shows."""
    return f"{value:.1f}".removesuffix(".0")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between ``low`` and ``high``, at most ``most`` of them."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    for step in (power * factor for factor in (1, 2, 2.5, 5, 10, 20)):
        count = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        if len(count) <= most:
            break
    return [round(n * step, 12) for n in count]


def tick_label(value: float) -> str:
    """A tick value as short as it can be labels; a true minus sign."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def frame(
    ax: Axes,
    x_label: str,
    y_label: str,
    marks: Mapping[float, str] | None = None,
    marks_up: Mapping[float, str] | None = None,
) -> Element:
    """Grid lines, tick labels, and the names of both axes; that of y stands level, above its axis.

    ``marks`` are the ticks of x and what they say, where values do not stand for themselves (a logarithm); ``marks_up``
    those of y.
    """
    right, foot = ax.x.stop, ax.y.start
    across = [_x_tick(ax, value, words) for value, words in (marks or _round_ticks(ax.x)).items()]
    up = [_y_tick(ax, value, words) for value, words in (marks_up or _round_ticks(ax.y)).items()]
    base = element("line", class_="axis", x1=ax.x.start, x2=right, y1=foot, y2=foot)
    names = (
        label(right, foot + 36, x_label, "name end"),
        label(4.0, 14.0, y_label, "name"),
    )
    return join(*up, *across, base, *names)


def _round_ticks(scale: AxisScale) -> dict[float, str]:
    return {tick: tick_label(tick) for tick in ticks(scale.low, scale.high)}


def _x_tick(ax: Axes, value: float, words: str) -> Element:
    x, foot = ax.x.at(value), ax.y.start
    mark = element("line", class_="axis", x1=short(x), x2=short(x), y1=foot, y2=foot + 4)
    return join(mark, label(x, foot + 17, words, "tick middle"))


def _y_tick(ax: Axes, value: float, words: str) -> Element:
    y = ax.y.at(value)
    line = element("line", class_="grid", x1=ax.x.start, x2=ax.x.stop, y1=short(y), y2=short(y))
    return join(line, label(ax.x.start - 7, y + 4, words, "tick end"))


def label(x: float, y: float, words: str, css: str) -> Element:
    """Text; ``css`` may hold "middle" or "end" for its anchor."""
    return element("text", words, x=short(x), y=short(y), class_=css)


def line(ax: Axes, xs: Numbers, ys: Numbers, css: str) -> Element:
    """A line through the points; it breaks where a value is not known."""
    return join(*(element("polyline", class_=css, points=" ".join(run)) for run in _runs(ax, xs, ys)))


def _runs(ax: Axes, xs: Numbers, ys: Numbers) -> Iterator[list[str]]:
    run: list[str] = []
    for x, y in zip(xs, ys, strict=True):
        if x is None or y is None:
            yield from [run] if run else []
            run = []
        else:
            run.append(ax.point(x, y))
    yield from [run] if run else []


def band(ax: Axes, xs: Numbers, low: Numbers, high: Numbers, css: str) -> Element:
    """The area between two lines; points whose limits are not known are left out."""
    known = [
        (x, b, t) for x, b, t in zip(xs, low, high, strict=False) if x is not None and b is not None and t is not None
    ]
    upper = [ax.point(x, top) for x, _, top in known]
    lower = [ax.point(x, bottom) for x, bottom, _ in reversed(known)]
    return element("polygon", class_=css, points=" ".join(upper + lower)) if known else EMPTY


def dot(ax: Axes, x: float, y: float, css: str, radius: float = 4.0) -> Element:
    """A point."""
    return element("circle", class_=css, cx=short(ax.x.at(x)), cy=short(ax.y.at(y)), r=radius)


def segment(ax: Axes, a: tuple[float, float], b: tuple[float, float], css: str) -> Element:
    """A straight line between two points given as values."""
    ends = {"x1": ax.x.at(a[0]), "y1": ax.y.at(a[1]), "x2": ax.x.at(b[0]), "y2": ax.y.at(b[1])}
    return element("line", class_=css, **{key: short(value) for key, value in ends.items()})


def key(x: float, y: float, words: str, css: str) -> Element:
    """One entry of a legend: a piece of the line and what it is."""
    piece = element("line", class_=f"line {css}", x1=short(x), x2=short(x + 20), y1=short(y), y2=short(y))
    return join(piece, label(x + 27, y + 4, words, "note"))


def legend(left: float, top: float, entries: Iterable[tuple[str, str]]) -> Element:
    """Lines below one another, each with what it is; ``entries`` are words and style."""
    return join(*(key(left, top + 18 * n, words, css) for n, (words, css) in enumerate(entries)))


def value_at_foot(ax: Axes, words: str, around: str) -> Element:
    """What a curve comes to, and its interval, at the foot on the right: a curve that is worth showing leaves room."""
    right, foot = ax.x.stop - 8, ax.y.start
    return join(label(right, foot - 32, words, "value end halo"), label(right, foot - 14, around, "tick end halo"))


def steps(xs: Numbers, ys: Numbers) -> tuple[list[float | None], list[float | None]]:
    """The corners of a staircase that keeps each value until the next point."""
    across: list[float | None] = []
    up: list[float | None] = []
    for index, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if index:
            across.append(x)
            up.append(ys[index - 1])
        across.append(x)
        up.append(y)
    return across, up


def drawing(ax: Axes, title: str, *marks: Element) -> Element:
    """The figure; ``title`` is what a screen reader says."""
    box = f"0 0 {short(ax.width)} {short(ax.height)}"
    return element("svg", element("title", title), *marks, viewBox=box, role="img", class_="plot")


def limits(values: Iterable[float | None], margin: float = 0.04) -> tuple[float, float]:
    """Lowest and highest known value, a little widened; (0, 1) where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = (high - low) * margin or max(abs(high) * margin, 0.5)
    return low - room, high + room
