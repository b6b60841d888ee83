"""Survival by predicted risk, and how well risk ranks patients as time goes by."""

from collections.abc import Sequence

from polyclinic.delivery.documents import OverTime, Survivors
from polyclinic.delivery.figures.axes import (
    BOTTOM,
    Axes,
    axes,
    band,
    drawing,
    frame,
    label,
    limits,
    line,
    segment,
    steps,
    ticks,
)
from polyclinic.delivery.markup import Html, join
from polyclinic.delivery.numbers import count
from polyclinic.delivery.words import Words

STRATA = ("low", "middle", "high")
"""Style classes, from low to high risk."""
RISKS = {"low risk": "low", "middle risk": "middle", "high risk": "high"}
"""Groups as evidence names them, and in short."""


def kaplan_meier(groups: Sequence[Survivors], unit: str, say: Words) -> Html:
    """Observed survival of each risk group with its band, and the numbers at risk below."""
    last = max((time for group in groups for time in group.times if time is not None), default=1.0)
    below = BOTTOM + 30 + 17 * len(groups)
    ax = axes((0, last), (0, 1), height=330 + below, below=below)
    curves = [_curve(ax, group, _style(n, len(groups))) for n, group in enumerate(groups)]
    names = [_name(ax, group, n, len(groups), say) for n, group in enumerate(groups)]
    marks = (frame(ax, with_unit(say("Time"), unit), say("Without the event")), *curves, *names)
    return drawing(ax, say("Survival by predicted risk"), *marks, _at_risk(ax, groups, say))


def over_time(curve: OverTime, unit: str, say: Words) -> Html:
    """AUROC for an event by each time, with its band; 0.5 is a coin."""
    shown = limits((*curve.low, *curve.high, *curve.value, 0.5))
    ax = axes(limits(curve.times, 0.0), (max(0.0, shown[0]), min(1.0, shown[1])))
    marks = (
        frame(ax, with_unit(say("Time"), unit), say("AUC for an event by this time")),
        segment(ax, (ax.x.low, 0.5), (ax.x.high, 0.5), "reference"),
        band(ax, curve.times, curve.low, curve.high, "band ours"),
        line(ax, curve.times, curve.value, "line ours"),
    )
    return drawing(ax, say("AUC over time"), *marks)


def with_unit(words: str, unit: str) -> str:
    """The name of a quantity with its unit."""
    return f"{words} ({unit})" if unit else words


def _style(position: int, groups: int) -> str:
    return STRATA[round(position * 2 / max(groups - 1, 1))]


def _curve(ax: Axes, group: Survivors, css: str) -> Html:
    low_x, low = steps(group.times, group.low) if group.low else ([], [])
    _, high = steps(group.times, group.high) if group.high else ([], [])
    xs, ys = steps(group.times, group.survival)
    return join(band(ax, low_x, low, high, f"band {css}"), line(ax, xs, ys, f"line {css}"))


def _name(ax: Axes, group: Survivors, position: int, groups: int, say: Words) -> Html:
    """The legend, at the foot on the left, where survival curves leave room; lowest risk on top."""
    x, y = ax.x.start + 12, ax.y.start - 14 - 18 * (groups - 1 - position)
    css = _style(position, groups)
    ends = (ax.x.low + (ax.x.high - ax.x.low) * 0.03, ax.x.low + (ax.x.high - ax.x.low) * 0.085)
    height = ax.y.low + (ax.y.start - y + 4) / (ax.y.start - ax.y.stop) * (ax.y.high - ax.y.low)
    piece = segment(ax, (ends[0], height), (ends[1], height), f"line {css}")
    return join(piece, label(x + 30, y, group_name(group.group, say), "note"))


def group_name(group: str, say: Words) -> str:
    """A risk group in words; groups of the user's own keep their name."""
    return say(group) if group in RISKS else group


def _at_risk(ax: Axes, groups: Sequence[Survivors], say: Words) -> Html:
    top = ax.y.start + 62
    title = label(4, top - 6, say("Number at risk"), "note")
    rows = [_at_risk_row(ax, group, top + 13 + 17 * n, _style(n, len(groups)), say) for n, group in enumerate(groups)]
    return join(title, *rows)


def _at_risk_row(ax: Axes, group: Survivors, y: float, css: str, say: Words) -> Html:
    words = say(RISKS[group.group]) if group.group in RISKS else group.group[:7]
    name = label(ax.x.start - 12, y, words, f"small end text-{css}")
    counts = [
        label(ax.x.at(time), y, count(left_at(group, time)), "tick middle") for time in ticks(ax.x.low, ax.x.high)
    ]
    return join(name, *counts)


def left_at(group: Survivors, time: float) -> float:
    """How many are still followed at a time."""
    later = [
        n for t, n in zip(group.times, group.at_risk, strict=False) if t is not None and n is not None and t >= time
    ]
    return later[0] if later else 0.0
