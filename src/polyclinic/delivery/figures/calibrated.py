"""Whether 30% means 30%: the calibration curve before and after, over a histogram of the predictions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.delivery.figures.axes import (
    Axes,
    AxisScale,
    axes,
    dot,
    drawing,
    frame,
    label,
    legend,
    line,
    segment,
    short,
)
from polyclinic.delivery.figures.curves import SQUARE
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.evidence.records import Calibration, CurvePoint
from polyclinic.translations.phrase import Phrase

HISTOGRAM = 96.0
"""Height of the strip below the curve: about a quarter of the curve's own, which stays the main thing."""
BINS = 40
"""Of 2.5 points in a hundred: bars of 9 units, wide enough to be seen on a phone."""


@dataclass(frozen=True)
class PredictedShares:
    """What the histogram shows.

    Attributes:
        probability: Calibrated, of the positive class.
        positive: Who had the outcome.
        threshold: At which new patients are answered, or None.
    """

    probability: Float[np.ndarray, " sample"]
    positive: Bool[np.ndarray, " sample"]
    threshold: float | None = None


def calibration(found: Calibration, predicted: PredictedShares | None) -> Element:
    """Observed against predicted share, with the histogram of predictions by outcome below."""
    ax = axes((0, 1), (0, 1), height=SQUARE)
    before = [(Phrase("before recalibration"), "quiet dashed")] if found.curve_before else []
    entries = [(Phrase("as delivered"), "ours"), *before]
    whole = Axes(ax.x, ax.y, ax.width, SQUARE + (HISTOGRAM + 22 if predicted is not None else 0))
    marks = (
        frame(ax, Phrase("Predicted probability"), Phrase("Observed share")),
        segment(ax, (0, 0), (1, 1), "reference"),
        _curve(ax, found.curve_before, "quiet dashed"),
        _curve(ax, found.curve, "ours"),
        legend(ax.x.start + 12, ax.y.stop + 12, entries),
        EMPTY if predicted is None else _histogram(ax, predicted),
    )
    return drawing(whole, Phrase("Calibration curve"), *marks)


def _curve(ax: Axes, points: tuple[CurvePoint, ...], css: str) -> Element:
    known = [(p.predicted, p.observed, p.low, p.high) for p in points]
    whiskers = [
        segment(ax, (x, low), (x, high), f"whisker {css}")
        for x, _, low, high in known
        if x is not None and low is not None and high is not None
    ]
    dots = [dot(ax, x, y, f"dot {css}", 3.5) for x, y, _, _ in known if x is not None and y is not None]
    path = line(ax, [x for x, *_ in known], [y for _, y, *_ in known], f"line {css}")
    return join(*whiskers, path, *dots)


def _histogram(ax: Axes, predicted: PredictedShares) -> Element:
    """Those with the outcome above the line, those without below it, each side on its own scale."""
    top = SQUARE + 14.0
    middle, half = top + HISTOGRAM / 2, HISTOGRAM / 2 - 12
    up = _bars(ax.x, predicted.probability[predicted.positive], middle, -half, "bar positive")
    down = _bars(ax.x, predicted.probability[~predicted.positive], middle, half, "bar negative")
    base = element("line", class_="axis", x1=ax.x.start, x2=ax.x.stop, y1=short(middle), y2=short(middle))
    across = () if predicted.threshold is None else (short(ax.x.at(predicted.threshold)),)
    cuts = [
        element("line", class_="cut", x1=x, x2=x, y1=short(top + 10), y2=short(top + HISTOGRAM - 8)) for x in across
    ]
    names = (
        label(ax.x.start + 4, top + 6, Phrase("with the outcome"), "small text-high"),
        label(ax.x.stop, top + HISTOGRAM - 2, Phrase("without the outcome"), "small end text-low"),
    )
    return join(*cuts, *up, *down, base, *names)


def _bars(across: AxisScale, values: Float[np.ndarray, " some"], foot: float, height: float, css: str) -> list[Element]:
    """Bars from ``foot``; a negative height goes up. The fullest bin is highest; a single sample still shows."""
    counts, edges = np.histogram(np.clip(values, 0, 1), bins=BINS, range=(0, 1))
    if not counts.any():
        return []
    lengths = np.where(counts > 0, np.maximum(np.abs(height) * counts / counts.max(), 1.2), 0)
    width = across.at(float(edges[1])) - across.at(float(edges[0])) - 1
    return [
        element(
            "rect",
            class_=css,
            x=short(across.at(float(edge))),
            y=short(foot - length if height < 0 else foot),
            width=short(width),
            height=short(float(length)),
        )
        for edge, length in zip(edges[:-1], lengths, strict=True)
        if length > 0
    ]
