"""What it costs in false boxes to find objects: the FROC curve, ours beside the nearest plain model's."""

import math
from fractions import Fraction

from polyclinic.delivery.figures.axes import Axes, axes, band, dot, drawing, frame, legend, line, value_at_foot
from polyclinic.delivery.figures.curves import SQUARE
from polyclinic.delivery.markup import EMPTY, Element
from polyclinic.delivery.names import model_name
from polyclinic.delivery.numbers import interval, number
from polyclinic.evidence.records import Baseline, Curve, TargetEvidence
from polyclinic.translations.phrase import Phrase

OCTAVES = (-3, -2, -1, 0, 1, 2, 3)
"""False boxes per record at which CPM reads sensitivity, as powers of 2; each is a tick.
Source: van Ginneken B et al. Medical Image Analysis 2010;14(6):707-722 (ANODE09)."""


def froc(target: TargetEvidence, plain: Baseline | None) -> Element:
    """Sensitivity over false boxes per record, from 1/8 to 8, on a logarithmic axis."""
    ours = target.curve("froc") or Curve()
    theirs = None if plain is None else plain.curve
    ax = axes((OCTAVES[0], OCTAVES[-1]), (0, 1), height=SQUARE)
    points = zip(_octaves(ours), ours.y, strict=True)  # the mean of those at a tick is CPM
    rings = [(x, y) for x, y in points if x is not None and y is not None and x in OCTAVES]
    models = []
    if plain is not None and theirs is not None:
        models = [(Phrase("This model"), "ours"), (model_name(plain.name), "base dashed")]
    marks = (
        frame(ax, Phrase("False boxes per record"), Phrase("Sensitivity"), {n: str(Fraction(2) ** n) for n in OCTAVES}),
        band(ax, _octaves(ours), ours.low, ours.high, "band ours"),
        EMPTY if theirs is None else line(ax, _octaves(theirs), theirs.y, "line base dashed"),
        line(ax, _octaves(ours), ours.y, "line ours"),
        *(dot(ax, x, y, "dot point", 4.0) for x, y in rings),
        legend(ax.x.stop - 232, ax.y.start - 86, models),  # above the value, a corner that the curves have left
        _value(ax, target),
    )
    return drawing(ax, Phrase("FROC curve"), *marks)


def _octaves(curve: Curve) -> list[float | None]:
    """Places along the axis: the logarithm of the rate to the base 2; a rate of 0 has none."""
    return [math.log2(rate) if rate else None for rate in curve.x]


def _value(ax: Axes, target: TargetEvidence) -> Element:
    """CPM with its interval."""
    estimate = target.metrics.get("cpm")
    if estimate is None or estimate.value is None:
        return EMPTY
    return value_at_foot(ax, f"CPM {number(estimate.value)}", interval(estimate))
