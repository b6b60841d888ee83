"""A predicted number beside the measured one: scatter and Bland-Altman, dense clouds as a density."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from polyclinic.delivery.figures.axes import Axes, axes, dot, drawing, frame, label, limits, segment, short
from polyclinic.delivery.figures.curves import SQUARE
from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.numbers import significant, with_unit
from polyclinic.evidence.records import CurvePoint
from polyclinic.translations.phrase import Phrase

DENSE = 1200
"""More points than this are drawn as a density: dots would cover each other. A round number."""
CELLS = 48
"""Cells on a side of the density, each 7.5 units wide, about as the bars of the histogram are."""

Values = Float[np.ndarray, " sample"]


def predicted_against_measured(predicted: Values, measured: Values, points: Sequence[CurvePoint], unit: str) -> Element:
    """Each sample once; on the diagonal the prediction is right. ``points`` are means of similar predictions."""
    scale = limits([*_ends(predicted), *_ends(measured)])
    ax = axes(scale, scale, height=SQUARE)
    marks = (
        frame(ax, with_unit(Phrase("Predicted"), unit), with_unit(Phrase("Measured"), unit)),
        segment(ax, (scale[0], scale[0]), (scale[1], scale[1]), "reference"),
        _cloud(ax, predicted, measured),
        *(
            dot(ax, point.predicted, point.observed, "dot mean", 4.5)
            for point in points
            if point.predicted is not None and point.observed is not None
        ),
    )
    return drawing(ax, Phrase("Predicted against measured"), *marks)


def bland_altman(predicted: Values, measured: Values, unit: str) -> Element:
    """Error against size: the mean difference and the limits within which 95 of 100 differences fall.

    Source: Bland and Altman, Lancet 1986;327:307-310: limits of agreement are mean difference -+ 1.96 SD.
    """
    middle, difference = (predicted + measured) / 2, predicted - measured
    bias, spread = float(np.mean(difference)), 1.96 * float(np.std(difference, ddof=1)) if len(difference) > 1 else 0.0
    ax = axes(limits(_ends(middle)), limits([*_ends(difference), bias - spread, bias + spread]), height=SQUARE)
    lines = [
        _level(ax, level, name, css)
        for level, name, css in (
            (bias + spread, "+1.96 SD", "reference"),
            (bias, Phrase("mean"), "line all"),
            (bias - spread, "\N{MINUS SIGN}1.96 SD", "reference"),
        )
    ]
    names = (
        with_unit(Phrase("Mean of predicted and measured"), unit),
        with_unit(Phrase("Predicted minus measured"), unit),
    )
    return drawing(ax, Phrase("Bland-Altman plot"), frame(ax, *names), _cloud(ax, middle, difference), *lines)


def _level(ax: Axes, level: float, name: str, css: str) -> Element:
    words = Phrase("{name}  {value}", name=name, value=significant(level).replace("-", "\N{MINUS SIGN}"))
    text = label(ax.x.stop - 4, ax.y.at(level) - 5, words, "note end halo")
    return join(segment(ax, (ax.x.low, level), (ax.x.high, level), css), text)


def _ends(values: Values) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _cloud(ax: Axes, x: Values, y: Values) -> Element:
    if len(x) > DENSE:
        return _density(ax, x, y)
    pairs = ((short(ax.x.at(float(a))), short(ax.y.at(float(b)))) for a, b in zip(x, y, strict=True))
    return element("g", *(element("circle", cx=a, cy=b, r=2.6) for a, b in pairs), class_="cloud")


def _density(ax: Axes, x: Values, y: Values) -> Element:
    """Cells, the darker the more samples they hold (on a logarithmic scale)."""
    ranges = ((ax.x.low, ax.x.high), (ax.y.low, ax.y.high))
    counts, across, up = np.histogram2d(x, y, bins=CELLS, range=ranges)
    shade = 0.12 + 0.88 * np.log1p(counts) / np.log1p(counts.max())
    width = ax.x.at(float(across[1])) - ax.x.at(float(across[0]))
    height = ax.y.at(float(up[0])) - ax.y.at(float(up[1]))
    cells = [
        element(
            "rect",
            x=short(ax.x.at(float(across[i]))),
            y=short(ax.y.at(float(up[j + 1]))),
            width=short(width),
            height=short(height),
            opacity=f"{shade[i, j]:.2f}",
        )
        for i, j in zip(*np.nonzero(counts), strict=True)
    ]
    return element("g", *cells, class_="density")
