"""Class by class and label by label: each one's numbers."""

from polyclinic.delivery.blocks import table
from polyclinic.delivery.figures.strips import scale_row, strip, whisker
from polyclinic.delivery.forms.base import Delivery
from polyclinic.delivery.markup import EMPTY, Child, Element, element
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import count, stacked
from polyclinic.evidence.records import Estimate, TargetEvidence


def per_class(target: TargetEvidence, form: Delivery) -> Element:
    """Each class or label with its numbers, the first of them drawn."""
    if not target.per_class:
        return EMPTY
    measured = list(dict.fromkeys(metric for estimates in target.per_class.values() for metric in estimates))
    metrics = [metric for metric in form.class_metrics if metric in measured] or measured
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
    words = form.class_words
    return table([words.name, words.counted, metric_name(first), *map(metric_name, metrics)], rows, "forest classes")
