"""How good the answers to one target are: figures, all metrics, and the plain models beside."""

from collections.abc import Sequence

from polyclinic.delivery.blocks import ReportSection, chapter, grid, note, table
from polyclinic.delivery.figures.models import plain_models
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.material import TargetMaterial
from polyclinic.delivery.names import metric_meaning, metric_name, model_name
from polyclinic.delivery.numbers import count, signed, stacked
from polyclinic.delivery.sections.cases import cases
from polyclinic.delivery.sections.classes import per_class
from polyclinic.delivery.sections.groups import subgroups
from polyclinic.delivery.sections.mistakes import mistakes
from polyclinic.delivery.verdict import nearest_plain
from polyclinic.evidence.records import Baseline, TargetEvidence
from polyclinic.translations.phrase import Phrase, sentences


def performance(material: TargetMaterial, resamples: int, several: bool) -> ReportSection:
    """The chapter of one target."""
    name, target, form = material.name, material.evidence, material.form
    parts = {
        "figures": ("", grid(*form.figures(target, material.answer))),
        "classes": (form.class_words.heading, join(per_class(target, form), form.confusions(target))),
        "metrics": (Phrase("All numbers"), metrics_table(target, resamples)),
        "subgroups": (Phrase("For whom: subgroups"), subgroups(target)),
        "cases": (Phrase("Cases"), cases(material)),
        "mistakes": (Phrase("Worst mistakes"), mistakes(material)),
    }
    sections = [ReportSection(f"{part}-{name}", title, body, 2) for part, (title, body) in parts.items() if body]
    title = Phrase("Performance: {target}", target=name) if several else Phrase("Performance")
    return ReportSection(f"target-{name}", title, join(*map(chapter, sections)))


def metrics_table(target: TargetEvidence, resamples: int) -> Element:
    """Every metric of ours with its interval, beside every plain model's."""
    best = nearest_plain(target)
    others = [model for model in plain_models(target) if best is None or model.name != best.name]
    order = [*target.headline, *(metric for metric in target.metrics if metric not in target.headline)]
    rows = [_metric_row(metric, target, others) for metric in order if metric in target.metrics]
    head: list[Child] = [Phrase("Metric"), Phrase("This model")]
    if best:
        chosen = join(
            model_name(best.name), element("small", Phrase("the plain model nearest to ours, or ahead of it"))
        )
        to_plain = element("small", Phrase("to {plain}", plain=model_name(best.name)))
        head += [chosen, join(Phrase("Difference"), to_plain)]
    head += [model_name(model.name) for model in others]
    words = sentences(
        Phrase("Value (low to high)."), Phrase("Difference: this model minus the plain one.") if best else ""
    )
    notes = (note(words), *_degenerate(target, resamples))
    return join(table(head, rows, "metrics"), *notes) if rows else EMPTY


def _degenerate(target: TargetEvidence, resamples: int) -> list[Element]:
    phrase = "{metric} could not be computed in {n} of {all} resamples; its interval leaves them out."
    return [
        note(Phrase(phrase, metric=metric_name(metric), n=count(n), all=count(resamples)))
        for metric, n in target.degenerate.items()
    ]


def _metric_row(metric: str, target: TargetEvidence, others: Sequence[Baseline]) -> list[Element]:
    name = element("span", element("b", metric_name(metric)), element("small", metric_meaning(metric)), class_="two")
    best = nearest_plain(target)
    ours = element("span", stacked(target.metrics[metric], metric), class_="ours")
    compared = []
    if best is not None:
        difference = stacked(best.difference.get(metric), metric, signed)
        compared = [stacked(best.metrics.get(metric), metric), difference]
    return [name, ours, *compared, *(stacked(model.metrics.get(metric), metric) for model in others)]
