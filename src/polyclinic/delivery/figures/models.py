"""Which plain models are drawn beside ours, how each line looks, and the legend that names them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polyclinic.delivery.markup import EMPTY, Element, element
from polyclinic.delivery.names import metric_name, model_name
from polyclinic.delivery.numbers import number, with_interval
from polyclinic.delivery.verdict import nearest_plain
from polyclinic.evidence.records import Baseline, TargetEvidence
from polyclinic.translations.phrase import Phrase

MOST = 3
"""Plain models whose lines can be told apart beside ours; the style sheet has as many."""


@dataclass(frozen=True)
class LegendEntry:
    """One line of a figure: what it is, and how it looks."""

    words: str
    css: str


def plain_models(target: TargetEvidence) -> list[Baseline]:
    """The plain models, that which the verdict is about first."""
    best = nearest_plain(target)
    named = [replace(model, name=name) for name, model in target.baselines.items()]
    others = [model for model in named if best is None or model.name != best.name]
    return ([best] if best else []) + others


def style(position: int) -> str:
    """How the line of a plain model looks, by its place among them."""
    return f"plain-{position}"


def entries(target: TargetEvidence, metric: str, drawn: Sequence[Baseline]) -> list[LegendEntry]:
    """Our model with a value and its interval, and each plain model with its value."""
    ours = target.metrics.get(metric)
    value = None if ours is None or ours.value is None else with_interval(ours, metric)
    words = Phrase("This model") if value is None else _valued(Phrase("This model"), metric, value)
    found = [LegendEntry(words, "ours")]
    for position, model in enumerate(drawn):
        theirs = model.metrics.get(metric)
        known = theirs is not None and theirs.value is not None
        said = (
            _valued(model_name(model.name), "", number(theirs.value, metric))
            if known and theirs
            else model_name(model.name)
        )
        found.append(LegendEntry(said, style(position)))
    return found


def _valued(name: str, metric: str, value: str) -> str:
    if not metric:
        return Phrase("{name} {value}", name=name, value=value)
    return Phrase("{name}: {metric} {value}", name=name, metric=metric_name(metric), value=value)


def line_legend(found: Sequence[LegendEntry]) -> Element:
    """The lines of a figure above it, where no curve can run into their names; nothing for a line alone."""
    if not found:
        return EMPTY
    return element("ul", *map(_entry, found), class_="line-legend")


def _entry(one: LegendEntry) -> Element:
    piece = element("line", class_=f"line {one.css}", x1=1, x2=25, y1=5, y2=5)
    drawn = element("svg", piece, width=26, height=10, viewBox="0 0 26 10", aria_hidden="true")
    return element("li", drawn, element("span", one.words))
