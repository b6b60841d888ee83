"""Survival by predicted risk, and how well risk ranks patients as time goes by."""

from collections.abc import Sequence

from polyclinic.delivery.figures.axes import (
    BOTTOM,
    Axes,
    axes,
    band,
    drawing,
    frame,
    key,
    label,
    limits,
    line,
    segment,
    short,
    steps,
    ticks,
)
from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.numbers import count, with_unit
from polyclinic.evidence.records import GroupSurvival, Numbers, OverTime
from polyclinic.translations.phrase import Phrase

STRATA = ("low", "middle", "high")
"""Style classes, from low to high risk."""
RISKS = ("low risk", "middle risk", "high risk")
"""Groups as evidence names them."""
LEFT_SHARE = 0.05
"""Share still followed below which a curve ends; the source stands at ``kaplan_meier``."""


def kaplan_meier(groups: Sequence[GroupSurvival], unit: str) -> Element:
    """Observed survival of each risk group with its band, and the numbers at risk below.

    Source: curves end where fewer than 5 of 100 patients are still followed, as beyond that they mislead; Pocock SJ,
    Clayton TC, Altman DG. Lancet 2002;359:1686-1689.
    """
    below = BOTTOM + 30 + 17 * len(groups)
    ax = axes((0, _end(groups)), (0, 1), height=330 + below, below=below)
    followed = [_until(group, ax.x.high) for group in groups]
    curves = [_curve(ax, group, _style(n, len(groups))) for n, group in enumerate(followed)]
    marks = (frame(ax, with_unit(Phrase("Time"), unit), Phrase("Event-free")), *curves, _legend(ax, groups))
    return drawing(ax, Phrase("Survival by predicted risk"), *marks, _at_risk(ax, groups))


def _end(groups: Sequence[GroupSurvival]) -> float:
    times = sorted({time for group in groups for time in group.times if time is not None})
    everyone = sum(left_at(group, 0.0) for group in groups)
    enough = [time for time in times if sum(left_at(group, time) for group in groups) >= LEFT_SHARE * everyone]
    return enough[-1] if enough and enough[-1] > 0 else (times[-1] if times and times[-1] > 0 else 1.0)


def _until(group: GroupSurvival, end: float) -> GroupSurvival:
    """The part of a curve up to ``end``, drawn on to it where the group is still followed."""
    kept = [n for n, time in enumerate(group.times) if time is not None and time <= end]
    if not kept:
        return GroupSurvival(group=group.group)
    on = [*kept, kept[-1]] if len(kept) < len(group.times) else kept
    times = [group.times[n] for n in kept] + ([end] if len(on) > len(kept) else [])

    def until(band: Numbers) -> Numbers:
        return tuple(band[n] for n in on) if len(band) == len(group.times) else ()

    return GroupSurvival(group.group, tuple(times), until(group.survival), until(group.low), until(group.high))


def over_time(curve: OverTime, name: str, unit: str, coin: float, *also: float) -> Element:
    """A metric at each time, with its band and what a coin comes to; ``also`` are other values to keep in sight."""
    low, high = limits((*curve.low, *curve.high, *curve.value, coin, *also))
    ax = axes(limits(curve.times, 0.0), (max(0.0, low), min(1.0, high)))
    marks = (
        frame(ax, with_unit(Phrase("Time"), unit), name),
        segment(ax, (ax.x.low, coin), (ax.x.high, coin), "reference"),
        band(ax, curve.times, curve.low, curve.high, "band ours"),
        line(ax, curve.times, curve.value, "line ours"),
    )
    return drawing(ax, name, *marks)


def _style(position: int, groups: int) -> str:
    return STRATA[round(position * 2 / max(groups - 1, 1))]


def _curve(ax: Axes, group: GroupSurvival, css: str) -> Element:
    low_x, low = steps(group.times, group.low) if group.low else ([], [])
    _, high = steps(group.times, group.high) if group.high else ([], [])
    xs, ys = steps(group.times, group.survival)
    return join(band(ax, low_x, low, high, f"band {css}"), line(ax, xs, ys, f"line {css}"))


def _legend(ax: Axes, groups: Sequence[GroupSurvival]) -> Element:
    """The names of the groups above the figure, where no curve can run into them."""
    step = 104.0
    start = ax.x.stop - step * len(groups) + 14
    return join(
        *(
            key(start + step * n, 10.0, group_name(group.group), _style(n, len(groups)))
            for n, group in enumerate(groups)
        )
    )


def group_name(group: str) -> str:
    """A risk group in words; groups of the user's own keep their name."""
    return Phrase(group) if group in RISKS else group


def _at_risk(ax: Axes, groups: Sequence[GroupSurvival]) -> Element:
    top = ax.y.start + 62
    title = label(4, top - 6, Phrase("Number at risk"), "note")
    rows = [_at_risk_row(ax, group, top + 13 + 17 * n, _style(n, len(groups))) for n, group in enumerate(groups)]
    return join(title, *rows)


def _at_risk_row(ax: Axes, group: GroupSurvival, y: float, css: str) -> Element:
    piece = element("line", class_=f"line {css}", x1=4, x2=28, y1=short(y - 4), y2=short(y - 4))
    counts = [
        label(ax.x.at(time), y, count(left_at(group, time)), "tick middle") for time in ticks(ax.x.low, ax.x.high)
    ]
    return join(piece, *counts)


def left_at(group: GroupSurvival, time: float) -> float:
    """How many are still followed at a time."""
    later = [
        n for t, n in zip(group.times, group.at_risk, strict=False) if t is not None and n is not None and t >= time
    ]
    return later[0] if later else 0.0
