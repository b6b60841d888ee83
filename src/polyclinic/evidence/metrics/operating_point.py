"""What follows when a threshold turns a score into a decision. The threshold is chosen on tune rows, never here."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metrics.ranking import rank
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

Truth = Float[np.ndarray, " sample"]
Decision = Float[np.ndarray, " sample"]
PerResample = Float[np.ndarray, " resample"]


@dataclass(frozen=True)
class Tally:
    """The four cells of the two-by-two table, for every resample."""

    hits: PerResample
    false_alarms: PerResample
    misses: PerResample
    passes: PerResample


def tally(truth: Truth, decision: Decision, weights: Weights) -> Tally:
    """Count the two-by-two table. ``truth`` and ``decision`` are 0 or 1."""
    return Tally(
        hits=weights @ (truth * decision),
        false_alarms=weights @ ((1 - truth) * decision),
        misses=weights @ (truth * (1 - decision)),
        passes=weights @ ((1 - truth) * (1 - decision)),
    )


def sensitivity(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Share of the diseased who are found."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    return closed(ratio(cells.hits, cells.hits + cells.misses), weights)


def specificity(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Share of the healthy who are left in peace."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    return closed(ratio(cells.passes, cells.passes + cells.false_alarms), weights)


def ppv(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Share of the alarms that are right, at this cohort's prevalence. NaN where there is no alarm."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    return closed(ratio(cells.hits, cells.hits + cells.false_alarms), weights)


def npv(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Share of the all-clears that are right, at this cohort's prevalence. NaN where there is no all-clear."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    return closed(ratio(cells.passes, cells.passes + cells.misses), weights)


def accuracy(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Share of decisions that are right. Also for several classes given by number."""
    opened_weights = opened(weights, len(truth))
    right = (truth == decision).astype(float)
    return closed(ratio(opened_weights @ right, opened_weights.sum(axis=1)), weights)


def balanced_accuracy(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Mean of sensitivity and specificity; 0.5 is a coin whatever the prevalence. NaN with one class only."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    found = ratio(cells.hits, cells.hits + cells.misses)
    spared = ratio(cells.passes, cells.passes + cells.false_alarms)
    return closed((found + spared) / 2, weights)


def f1(truth: Truth, decision: Decision, weights: Weights | None = None) -> Figures:
    """Harmonic mean of sensitivity and PPV. NaN where nobody is diseased and nobody is alarmed."""
    cells = tally(truth, decision, opened(weights, len(truth)))
    return closed(ratio(2 * cells.hits, 2 * cells.hits + cells.false_alarms + cells.misses), weights)


def youden_threshold(truth: Truth, score: Float[np.ndarray, " sample"]) -> float:
    """Threshold with the highest sensitivity + specificity; a score at or above it is an alarm.

    It lies midway between two neighbouring scores, so that a gap in the scores is not given to one side. Of equally
    good ones the lowest is taken: it finds more of the diseased. NaN where one class only is present.

    Source: Youden WJ. Cancer 1950;3:32-35.
    """
    positives, negatives = truth.sum(), (1 - truth).sum()
    if positives == 0 or negatives == 0:
        return float("nan")
    ranking = rank(score)
    steps = (truth / positives - (1 - truth) / negatives)[None, :]
    youden = -np.cumsum(ranking.total(steps)[0])[:-1]  # for a threshold just above each group of equal scores
    if len(youden) == 0 or youden.max() <= 1e-12:
        return float(score.min())  # no threshold is better than alarming everyone
    best = int(np.flatnonzero(youden >= youden.max() - 1e-12)[0])
    values = score[ranking.order][ranking.starts]
    return float((values[best] + values[best + 1]) / 2)


def least_sensitivity(truth: Truth, score: Float[np.ndarray, " sample"], level: float) -> float:
    """The highest threshold at which at least ``level`` of the diseased are found. NaN where one class only is present.

    As Youden's it lies midway between two neighbouring scores.
    """
    if truth.sum() in (0, len(truth)):
        return float("nan")
    values = np.unique(score)
    found = 1 - np.searchsorted(np.sort(score[truth == 1]), values, side="left") / truth.sum()
    # Rounding must not turn 19 of 20 into less than 0.95.
    last = int(np.flatnonzero(found >= level - 1e-12)[-1])
    return float(values[0] if last == 0 else (values[last - 1] + values[last]) / 2)


def least_specificity(truth: Truth, score: Float[np.ndarray, " sample"], level: float) -> float:
    """The lowest threshold at which at least ``level`` of the healthy are left in peace. NaN as above.

    Where even the highest score is a healthy patient's it may lie above all scores: then nobody is alarmed.
    """
    if truth.sum() in (0, len(truth)):
        return float("nan")
    values = np.unique(score)
    healthy = np.sort(score[truth == 0])
    spared = np.append(np.searchsorted(healthy, values, side="left"), len(healthy)) / len(healthy)
    first = int(np.flatnonzero(spared >= level - 1e-12)[0])
    if first == len(values):
        return float(max((values[-1] + 1) / 2, np.nextafter(values[-1], np.inf)))
    return float(values[0] if first == 0 else (values[first - 1] + values[first]) / 2)
