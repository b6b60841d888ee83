"""Evidence for answers that say less than a chance: only what they can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from polyclinic.evidence.records import Calibration, Estimate, Evidence, Subgroup, TargetEvidence


@dataclass(frozen=True)
class Limit:
    """What is left of the evidence.

    Attributes:
        metrics: Names of the figures that are kept.
        curves: Names of the curves that are kept.
        decided: Whether the table of decisions is kept.
        note: Why, in a sentence; takes the place of the verdict.
    """

    metrics: frozenset[str]
    curves: frozenset[str]
    decided: bool
    note: str


RANKS = Limit(
    metrics=frozenset({"auroc", "auprc"}),
    curves=frozenset({"roc", "precision_recall"}),
    decided=False,
    note="The scores are no probabilities: only how they rank patients was judged.",
)
"""Scores without a scale: nothing about chances, and no threshold to decide by."""
DECISIONS = Limit(
    metrics=frozenset(
        {"accuracy", "balanced_accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "macro_f1"},
    ),
    curves=frozenset(),
    decided=True,
    note="There are decisions and no probabilities: only how often they are right was judged.",
)
"""Classes without a chance: nothing about ranks and chances."""


def limit(evidence: Evidence, limits: Mapping[str, Limit]) -> Evidence:
    """The evidence without the figures that some of the targets cannot be asked for."""
    targets = {
        name: _limited(target, limits[name]) if name in limits else target for name, target in evidence.targets.items()
    }
    return replace(evidence, targets=targets)


def _limited(target: TargetEvidence, to: Limit) -> TargetEvidence:
    kept = [name for name in target.headline if name in to.metrics]
    return replace(
        target,
        headline=(*kept, *(name for name in target.metrics if name in to.metrics and name not in kept)),
        metrics=_kept(target.metrics, to),
        per_class={name: _kept(metrics, to) for name, metrics in target.per_class.items() if to.decided},
        calibration=Calibration(),
        curves={name: curve for name, curve in target.curves.items() if name in to.curves},
        subgroups=tuple(_of_group(group, to) for group in target.subgroups),
        verdict=to.note,
        comparison=None,
        worst=(),
        degenerate={name: many for name, many in target.degenerate.items() if name in to.metrics},
        cases=None,
        operating_point=None,
        confusion=target.confusion if to.decided else (),
    )


def _kept(metrics: Mapping[str, Estimate], to: Limit) -> dict[str, Estimate]:
    return {name: figure for name, figure in metrics.items() if name in to.metrics}


def _of_group(group: Subgroup, to: Limit) -> Subgroup:
    return replace(group, metrics=_kept(group.metrics, to))
