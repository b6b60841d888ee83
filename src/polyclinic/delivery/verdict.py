"""How ours compares with plain models on the first headline metric, as a page or a card says it."""

from dataclasses import replace

from polyclinic.delivery.names import metric_name, model_name
from polyclinic.delivery.numbers import number, signed, with_interval
from polyclinic.evidence.records import Baseline, Estimate, Outcome, TargetEvidence
from polyclinic.evidence.verdict import Wording, sentence
from polyclinic.translations.phrase import Phrase

SHOWN = 4
"""More headline numbers than this are no headline; and four cards stand in one row of a page."""


def headline_metrics(target: TargetEvidence) -> tuple[str, ...]:
    """The most important metrics that were measured."""
    return tuple(metric for metric in target.headline if metric in target.metrics)[:SHOWN]


def nearest_plain(target: TargetEvidence) -> Baseline | None:
    """The plain model that the verdict is about, with ours minus it where that was measured."""
    if target.baseline is None:
        return None
    known = target.baselines.get(target.baseline.name)
    return target.baseline if known is None else replace(known, name=target.baseline.name)


def outcome(target: TargetEvidence) -> Outcome:
    """How ours compares with the plain model that it compares with least favourably."""
    return Outcome.NOT_COMPARED if target.comparison is None else target.comparison.outcome


def verdict(target: TargetEvidence) -> str:
    """How ours compares, with the figures; and what the interval leaves open."""
    if target.comparison is not None:
        return sentence(target.comparison, _WORDING)
    metric = next(iter(headline_metrics(target)), "")
    ours = number(target.metrics.get(metric, Estimate()).value, metric)
    words = Phrase(
        "No plain model was trained to compare with: {metric} {ours}.", metric=metric_name(metric), ours=ours
    )
    return words.in_english(target.verdict) if target.verdict else words


def _with_sign(difference: Estimate, metric: str) -> str:
    return with_interval(difference, metric, signed)


_WORDING = Wording(Phrase("This model"), model_name, metric_name, number, _with_sign)
