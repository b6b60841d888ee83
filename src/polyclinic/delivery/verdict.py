"""Which model wins on the headline metrics, and whether the difference is real."""

from dataclasses import replace
from typing import Literal

from polyclinic.delivery.metric_names import METRICS
from polyclinic.delivery.names import metric_name, model_name
from polyclinic.delivery.numbers import number, signed, with_interval
from polyclinic.evidence.metric import Better
from polyclinic.evidence.records import Baseline, Estimate, TargetEvidence
from polyclinic.translations.phrase import Phrase

Outcome = Literal["better", "worse", "level", "alone"]

SHOWN = 4
"""More headline numbers than this are no headline; and four cards stand in one row of a page."""


def headline_metrics(target: TargetEvidence) -> tuple[str, ...]:
    """The most important metrics that were measured."""
    return tuple(metric for metric in target.headline if metric in target.metrics)[:SHOWN]


def best_plain(target: TargetEvidence) -> Baseline | None:
    """The best plain model, with its difference to ours where that was measured."""
    if target.baseline is None:
        return None
    known = target.baselines.get(target.baseline.name)
    return target.baseline if known is None else replace(known, name=target.baseline.name)


def outcome(target: TargetEvidence) -> Outcome:
    """Whether ours is really better than the plain model on the first headline metric."""
    metric, difference = _difference(target)
    if difference is None or difference.low is None or difference.high is None:
        return "alone" if target.baseline is None else "level"
    if difference.low <= 0 <= difference.high:
        return "level"
    lower_is_better = metric in METRICS and METRICS[metric].better is Better.LOWER
    return "better" if (difference.low > 0) != lower_is_better else "worse"


def verdict(target: TargetEvidence) -> str:
    """One sentence: which one wins, and whether the difference is real."""
    metric, difference = _difference(target)
    plain = best_plain(target)
    sentence = Phrase(
        _SENTENCES[outcome(target)],
        metric=metric_name(metric),
        ours=number(target.metrics.get(metric, Estimate()).value, metric),
        plain="" if plain is None else model_name(plain.name),
        theirs="" if plain is None else number(plain.metrics.get(metric, Estimate()).value, metric),
        difference=with_interval(difference, metric, signed),
    )
    compared = difference is not None and difference.value is not None
    return sentence.in_english(target.verdict) if target.verdict and not compared else sentence


_SENTENCES: dict[Outcome, str] = {
    "better": "This model is better than {plain}: {metric} {ours} against {theirs}, difference {difference}.",
    "worse": "This model is worse than {plain}: {metric} {ours} against {theirs}, difference {difference}.",
    "level": "This model and {plain} cannot be told apart: {metric} {ours} against {theirs}, difference {difference}.",
    "alone": "No plain model was trained to compare with: {metric} {ours}.",
}


def _difference(target: TargetEvidence) -> tuple[str, Estimate | None]:
    metric = next(iter(headline_metrics(target)), "")
    plain = best_plain(target)
    return metric, None if plain is None else plain.difference.get(metric)
