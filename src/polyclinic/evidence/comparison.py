"""Runs side by side on the same rows, with intervals of their differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polyclinic.errors import EvidenceError, Finding
from polyclinic.evidence.aligned import Judgeable
from polyclinic.evidence.intervals import difference
from polyclinic.evidence.judge import put_before
from polyclinic.evidence.records import FORMAT, Estimates, HeldAgainst, Tested, plain
from polyclinic.evidence.verdict import hold_against, in_english, sentence
from polyclinic.predictions.record import Predictions
from polyclinic.study.schema import EvidenceSection


@dataclass(frozen=True)
class ComparedRun:
    """One run's figures; the difference is this run minus the first one, which itself has none.

    Attributes:
        verdict: How this run compares with the first one, in a sentence.
        comparison: The same as fields.
    """

    metrics: Estimates
    difference: Estimates
    verdict: str
    comparison: HeldAgainst | None


@dataclass(frozen=True)
class ComparedTarget:
    """One question, answered by every run."""

    form: str
    counts: Tested
    headline: tuple[str, ...]
    runs: Mapping[str, ComparedRun]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side, by the user's own target names."""

    confidence: float
    resamples: int
    seed: int
    targets: Mapping[str, ComparedTarget]

    def document(self) -> dict[str, Any]:
        """The comparison as JSON: plain, finite, the same bytes for the same predictions."""
        return {"format": FORMAT, **plain(self)}


def compare(runs: Mapping[str, Predictions], settings: EvidenceSection, seed: int) -> Comparison:
    """Judge runs on the same test rows and draws of patients; each is held against the first.

    Folds may differ between runs; the rows that are tested, how often, and their truth may not.

    Raises:
        EvidenceError: if there are fewer than two runs, they share no target, or rows or truths differ.
    """
    if len(runs) < 2:
        raise EvidenceError(_finding("too_few_runs", "there must be two runs to compare", f"{len(runs)} given"))
    first = next(iter(runs.values()))
    shared = [name for name in first.answers if all(name in run.answers for run in runs.values())]
    if not shared:
        raise EvidenceError(_finding("no_shared_target", "the runs must answer one question in common", "they do not"))
    targets = {name: _compare_target(runs, name, settings, seed) for name in shared}
    return Comparison(settings.confidence, settings.resamples, seed, targets)


def _compare_target(
    runs: Mapping[str, Predictions], target: str, settings: EvidenceSection, seed: int
) -> ComparedTarget:
    judgeable = {name: Judgeable(run, target, settings.rule_of(target)) for name, run in runs.items()}
    first_name = next(iter(judgeable))
    first = judgeable[first_name]
    judged = {name: put_before(run.in_order_of(first), settings, seed) for name, run in judgeable.items()}
    metric = first.form.metric(first.form.headline[0])
    compared = {}
    for name, run in judged.items():
        metrics = {m: run.estimate(m) for m in run.figures}
        if name == first_name:
            compared[name] = ComparedRun(metrics, {}, "", None)
            continue
        gaps = {m: difference(run.figures[m], judged[first_name].figures[m], settings.confidence) for m in run.figures}
        measure = judged[first_name].estimate(metric.name)
        held = hold_against(metric, metrics[metric.name], first_name, measure, gaps[metric.name], settings.margin)
        compared[name] = ComparedRun(metrics, gaps, sentence(held, in_english(name)), held)
    counts = first.form.counts(first.test.answer, first.test.layout)
    return ComparedTarget(first.form.word, counts, first.form.headline, compared)


def _finding(name: str, rule: str, found: str) -> Finding:
    return Finding(name, "runs to compare", rule, found, "Name two runs of the same study.")
