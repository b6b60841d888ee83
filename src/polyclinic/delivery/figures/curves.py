"""ROC and precision-recall: how well the answer separates those with the outcome from those without."""

from collections.abc import Mapping

from polyclinic.delivery.figures.axes import (
    Axes,
    axes,
    band,
    dot,
    drawing,
    frame,
    label,
    legend,
    limits,
    line,
    segment,
)
from polyclinic.delivery.figures.chance_axis import ChanceAxis
from polyclinic.delivery.figures.models import MOST, LegendEntry, entries, line_legend, plain_models, style
from polyclinic.delivery.markup import EMPTY, Element, join
from polyclinic.delivery.numbers import percent
from polyclinic.evidence.records import Curve, Estimate, TargetEvidence
from polyclinic.translations.phrase import Phrase

SQUARE = 436.0
"""Height at which the plotting area is a square: 360 units wide between the margins, and as high."""
PERCENT = ChanceAxis().marks()
"""Ticks of shares."""
COLOURS = 6
"""Classes beyond this cannot be told apart by colour; the style sheet has as many."""


def roc(target: TargetEvidence) -> Element:
    """The ROC curve with its band, the diagonal of a coin, and the operating point."""
    ax = axes((0, 1), (0, 1), height=SQUARE)
    metric = "auroc" if "auroc" in target.metrics else "macro_auroc"
    lines, named = _models(ax, target, "roc", metric)
    marks = (
        frame(ax, Phrase("1 \N{MINUS SIGN} specificity"), Phrase("Sensitivity"), PERCENT, PERCENT),
        segment(ax, (0, 0), (1, 1), "reference"),
        lines,
        _operating_point(ax, target),
    )
    return join(line_legend(named), drawing(ax, Phrase("ROC curve"), *marks))


def precision_recall(target: TargetEvidence) -> Element:
    """The precision-recall curve with its band, and the prevalence below which nothing is gained."""
    ax = axes((0, 1), (0, 1), height=SQUARE)
    floor, floor_named = _prevalence(ax, target)
    lines, named = _models(ax, target, "precision_recall", "auprc")
    words = Phrase("Sensitivity (recall)"), Phrase("Positive predictive value (precision)")
    marks = (frame(ax, *words, PERCENT, PERCENT), floor, lines)
    return join(line_legend([*named, *floor_named]), drawing(ax, Phrase("Precision-recall curve"), *marks))


def curves_by_class(curves: Mapping[str, Curve], title: str, names: tuple[str, str], diagonal: bool = False) -> Element:
    """One line per class or label, each with the name of its class; the longest names are shortened."""
    ax = axes((0, 1), (0, 1), height=SQUARE)
    short = [name if len(name) <= 15 else f"{name[:14]}\N{HORIZONTAL ELLIPSIS}" for name in curves]
    entries = [(name, f"class-{n}") for n, name in enumerate(short)]
    marks = (
        frame(ax, *names, PERCENT, PERCENT),
        segment(ax, (0, 0), (1, 1), "reference") if diagonal else EMPTY,
        *(line(ax, curve.x, curve.y, f"line class-{n}") for n, curve in enumerate(curves.values())),
        legend(ax.x.stop - 128, ax.y.start - 20 - 18 * (len(curves) - 1), entries),
    )
    return drawing(ax, title, *marks)


def plain_curve(curve: Curve, title: str) -> Element:
    """A curve of which nothing is known but its points."""
    ax = axes(limits(curve.x, 0.0), limits((*curve.low, *curve.y, *curve.high)))
    return drawing(ax, title, frame(ax, "", ""), _curve(ax, curve))


def prevalence(target: TargetEvidence) -> float | None:
    """Share of tested samples with the outcome."""
    counts = target.counts
    return counts.positives / counts.rows if counts.rows and counts.positives is not None else None


def _curve(ax: Axes, curve: Curve) -> Element:
    return join(band(ax, curve.x, curve.low, curve.high, "band ours"), line(ax, curve.x, curve.y, "line ours"))


def _models(ax: Axes, target: TargetEvidence, name: str, metric: str) -> tuple[Element, list[LegendEntry]]:
    """The curve of ours with its band over thin ones of plain models, and what a legend says of all, with values."""
    drawn = [(model, model.curves[name]) for model in plain_models(target) if name in model.curves][:MOST]
    thin = [line(ax, curve.x, curve.y, f"line {style(n)}") for n, (_, curve) in enumerate(drawn)]
    named = entries(target, metric, [model for model, _ in drawn])
    return join(*thin, _curve(ax, target.curve(name) or Curve())), named


def _operating_point(ax: Axes, target: TargetEvidence) -> Element:
    sensitivity = target.metrics.get("sensitivity", Estimate()).value
    specificity = target.metrics.get("specificity", Estimate()).value
    if sensitivity is None or specificity is None:
        return EMPTY
    x = 1 - specificity
    mark = dot(ax, x, sensitivity, "dot point", 5.5)
    text = label(ax.x.at(x) + 13, ax.y.at(sensitivity) + 20, Phrase("operating point"), "note halo")
    return join(text, mark) if x < 0.6 else mark


def _prevalence(ax: Axes, target: TargetEvidence) -> tuple[Element, list[LegendEntry]]:
    """The line below which nothing is gained, and its entry in the legend: beside it a name would hide the curve."""
    share = prevalence(target)
    if share is None:
        return EMPTY, []
    words = Phrase("prevalence {share}", share=percent(share))
    return segment(ax, (0, share), (1, share), "reference"), [LegendEntry(words, "reference")]
