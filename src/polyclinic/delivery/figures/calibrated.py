"""Whether 30% means 30%: the calibration curve before and after, over a histogram of the predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.delivery.figures.axes import Axes, AxisScale, axes, dot, drawing, frame, label, line, segment, short
from polyclinic.delivery.figures.chance_axis import ChanceAxis, chance_axis
from polyclinic.delivery.figures.curves import SQUARE
from polyclinic.delivery.figures.models import MOST, LegendEntry, line_legend, style
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.delivery.names import model_name
from polyclinic.evidence.records import Baseline, Calibration, CurvePoint
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


def calibration(found: Calibration, predicted: PredictedShares | None, plain: Sequence[Baseline] = ()) -> Element:
    """Observed against predicted share of ours and of ``plain`` models; below it the predictions by outcome."""
    drawn = [model for model in plain if model.calibration][:MOST]
    scale = axis_of(found, drawn)
    ax = axes(scale.ends, scale.ends, height=SQUARE)
    whole = Axes(ax.x, ax.y, ax.width, SQUARE + (HISTOGRAM + 22 if predicted is not None else 0))
    marks = (
        frame(ax, Phrase("Predicted probability"), Phrase("Observed share"), scale.marks(), scale.marks()),
        segment(ax, (scale.ends[0],) * 2, (scale.ends[1],) * 2, "reference"),
        *(_line(ax, scale, model.calibration, style(n)) for n, model in enumerate(drawn)),
        _curve(ax, scale, found.curve_before, "quiet dashed"),
        _curve(ax, scale, found.curve, "ours"),
        EMPTY if predicted is None else _histogram(ax, scale, predicted),
    )
    return join(line_legend(_entries(found, drawn)), drawing(whole, Phrase("Calibration curve"), *marks))


def axis_of(found: Calibration, plain: Sequence[Baseline]) -> ChanceAxis:
    """The scale of both axes."""
    return chance_axis(found.curve, (*found.curve_before, *(point for model in plain for point in model.calibration)))


def _entries(found: Calibration, plain: Sequence[Baseline]) -> list[LegendEntry]:
    before = [LegendEntry(Phrase("before recalibration"), "quiet dashed")] if found.curve_before else []
    models = [LegendEntry(model_name(model.name), style(n)) for n, model in enumerate(plain)]
    ours = Phrase("This model, as delivered") if before else Phrase("This model")
    return [LegendEntry(Phrase("ideal"), "reference"), LegendEntry(ours, "ours"), *before, *models]


def _line(ax: Axes, scale: ChanceAxis, points: Sequence[CurvePoint], css: str) -> Element:
    known = [point for point in points if point.predicted is not None and point.observed is not None]
    across, up = ([scale.at(getattr(point, side)) for point in known] for side in ("predicted", "observed"))
    return line(ax, across, up, f"line {css}")


def _curve(ax: Axes, scale: ChanceAxis, points: Sequence[CurvePoint], css: str) -> Element:
    known = [tuple(map(scale.at, (p.predicted, p.observed, p.low, p.high))) for p in points]
    whiskers = [
        segment(ax, (x, low), (x, high), f"whisker {css}")
        for x, _, low, high in known
        if x is not None and low is not None and high is not None
    ]
    dots = [dot(ax, x, y, f"dot {css}", 3.5) for x, y, _, _ in known if x is not None and y is not None]
    return join(*whiskers, _line(ax, scale, points, css), *dots)


def _histogram(ax: Axes, scale: ChanceAxis, predicted: PredictedShares) -> Element:
    """Those with the outcome above the line, those without below it, each side on its own scale."""
    top = SQUARE + 14.0
    middle, half = top + HISTOGRAM / 2, HISTOGRAM / 2 - 12
    places = np.array([scale.place(chance) for chance in predicted.probability.tolist()])
    up = _bars(ax.x, places[predicted.positive], middle, -half, "bar positive")
    down = _bars(ax.x, places[~predicted.positive], middle, half, "bar negative")
    base = element("line", class_="axis", x1=ax.x.start, x2=ax.x.stop, y1=short(middle), y2=short(middle))
    names = (
        label(ax.x.start + 4, top + 6, Phrase("with the outcome"), "small text-high"),
        label(ax.x.stop, top + HISTOGRAM - 2, Phrase("without the outcome"), "small end text-low"),
    )
    return join(_cut(ax, scale, predicted.threshold, top), *up, *down, base, *names)


def _cut(ax: Axes, scale: ChanceAxis, threshold: float | None, top: float) -> Element:
    """The threshold, an upright line."""
    if threshold is None:
        return EMPTY
    x = short(ax.x.at(scale.place(threshold)))
    return element("line", class_="cut", x1=x, x2=x, y1=short(top + 10), y2=short(top + HISTOGRAM - 8))


def _bars(across: AxisScale, values: Float[np.ndarray, " some"], foot: float, height: float, css: str) -> list[Element]:
    """Bars from ``foot``; a negative height goes up. The fullest bin is highest; a single sample still shows."""
    counts, edges = np.histogram(values, bins=BINS, range=(across.low, across.high))
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
