"""Class by class and label by label: each one's numbers, and which is taken for which."""

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.delivery.documents import Estimate, TargetEvidence
from polyclinic.delivery.figures.strips import scale_row, strip, whisker
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import count, stacked
from polyclinic.delivery.sections.parts import note, table
from polyclinic.translations.phrase import Phrase

_HEADS = {
    "multilabel": ("By label", "Label", "Rows"),
    "mask": ("By region", "Region", "Rows"),
    "boxes": ("By class", "Class", "Objects"),
    "spans": ("By label", "Label", "Spans"),
    "relations": ("By relation", "Relation", "Relations"),
}
"""Heading, first and second column by form of answer."""
_COLUMNS = {
    "mask": ("dice", "iou", "hausdorff_95", "surface_dice", "size_error_percent", "lesion_sensitivity", "pixel_auroc"),
}
"""Metrics that a table has room for, where there are many; all of them stand in `evidence.json`."""


def by_each(target: TargetEvidence) -> str:
    """Heading of the part that goes class by class, in the word of the form."""
    return _HEADS.get(target.form, ("By class",))[0]


def per_class(target: TargetEvidence) -> Element:
    """Each class or label with its numbers, the first of them drawn."""
    if not target.per_class:
        return EMPTY
    measured = list(dict.fromkeys(metric for estimates in target.per_class.values() for metric in estimates))
    chosen = _COLUMNS.get(target.form, tuple(measured))
    metrics = [metric for metric in chosen if metric in measured] or measured
    first = metrics[0] if metrics else ""
    scale = strip([estimates.get(first, Estimate()) for estimates in target.per_class.values()])
    rows: list[list[Child]] = [
        [
            element("b", name),
            count(target.counts.per_class.get(name)),
            whisker(scale, estimates.get(first, Estimate()), "ours"),
            *(stacked(estimates.get(metric), metric) for metric in metrics),
        ]
        for name, estimates in target.per_class.items()
    ]
    rows.append(["", "", scale_row(scale), *("" for _ in metrics)])
    _, name_head, count_head = _HEADS.get(target.form, ("", "Class", "Rows"))
    head = [Phrase(name_head), Phrase(count_head), metric_name(first), *(metric_name(metric) for metric in metrics)]
    return table(head, rows, "forest classes")


def confusion(target: TargetEvidence, answer: Answer | None) -> Element:
    """Which class is taken for which; each row adds up to everyone of that class."""
    if target.form != "multiclass":
        return EMPTY
    counts = _counts(target, answer)
    if counts is None:
        return EMPTY
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    rows = [
        [element("b", name), *(_cell(counts[i, j], shares[i, j], i == j) for j in range(len(target.classes)))]
        for i, name in enumerate(target.classes)
    ]
    head = [Phrase("Truth \N{DOWNWARDS ARROW}  Answer \N{RIGHTWARDS ARROW}"), *target.classes]
    words = note(Phrase("Test rows by true class (row) and most probable class (column); with shares of the row."))
    return join(element("h4", Phrase("Confusion matrix")), table(head, rows, "confusion"), words)


def _counts(target: TargetEvidence, answer: Answer | None) -> Float[np.ndarray, "klass klass"] | None:
    if target.confusion:
        return np.array(target.confusion, dtype=float)
    if not isinstance(answer, ClassAnswer):
        return None
    known = ~np.isnan(answer.truth)
    size = len(answer.classes)
    pairs = answer.truth[known].astype(int) * size + answer.probabilities[known].argmax(axis=1)
    return np.bincount(pairs, minlength=size * size).reshape(size, size) / max(target.counts.repeats or 1, 1)


def _cell(n: float, share: float, right: bool) -> Element:
    shade = f"--share:{share:.3f}"
    words = (element("b", count(float(n))), element("small", f"{100 * share:.0f}%"))
    return element("span", *words, class_="heat right" if right else "heat wrong", style=shade)
