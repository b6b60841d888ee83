"""What probabilities of single points are worth, from counts at each of the 256 levels at which they are kept.

Points of one record are no independent evidence, so that their figures come with intervals over patients like all
others: the counts of the drawn patients are summed, and the figure is found from the sum.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from polyclinic.evidence.metrics.calibration import BINS, wilson_interval
from polyclinic.evidence.records import CurvePoint
from polyclinic.evidence.weights import ratio

LEVELS = 256
_AT_ONCE = 1 << 22
_CHANCE = np.arange(LEVELS) / (LEVELS - 1)

Counts = Float[np.ndarray, "*figures level"]
Figures = Float[np.ndarray, "*figures"]


def tally(
    probability: UInt8[np.ndarray, " point"], truth: Bool[np.ndarray, " point"]
) -> tuple[Float[np.ndarray, " level"], Float[np.ndarray, " level"]]:
    """How many points that belong, and how many that do not, were given each level; in pieces, to bound memory."""
    true, other = np.zeros(LEVELS), np.zeros(LEVELS)
    for first in range(0, len(probability), _AT_ONCE):
        given, belongs = probability[first : first + _AT_ONCE], truth[first : first + _AT_ONCE]
        all_of_them = np.bincount(given, minlength=LEVELS)
        right = np.bincount(given[belongs], minlength=LEVELS)
        true += right
        other += all_of_them - right
    return true, other


def auroc(true: Counts, other: Counts) -> Figures:
    """Chance that a point that belongs is ranked above one that does not; equal levels count half."""
    below = np.cumsum(other, axis=-1) - other / 2
    return ratio(_sum(true * below), np.asarray(_sum(true) * _sum(other)))


def auprc(true: Counts, other: Counts) -> Figures:
    """Precision averaged over sensitivities, by steps as scikit-learn's average precision."""
    right, wrong = _reached(true), _reached(other)
    precision = np.divide(right, right + wrong, out=np.zeros_like(right), where=right + wrong > 0)
    return ratio(_sum(precision * true), _sum(true))


def brier_score(true: Counts, other: Counts) -> Figures:
    """Mean squared distance between the chance of a point and the truth; 0 is perfect."""
    return ratio(_sum(true * (1 - _CHANCE) ** 2 + other * _CHANCE**2), _sum(true + other))


def expected_calibration_error(true: Counts, other: Counts) -> Figures:
    """Mean distance between predicted chance and observed share over 15 bins of equal width; 0 is perfect."""
    member = np.zeros((LEVELS, BINS))
    member[np.arange(LEVELS), np.clip(np.ceil(_CHANCE * BINS).astype(int) - 1, 0, BINS - 1)] = 1
    gaps = np.abs(((true + other) * _CHANCE - true) @ member)
    return ratio(_sum(gaps), _sum(true + other))


def roc_curve(true: Counts, other: Counts, grid: Float[np.ndarray, " x"]) -> Float[np.ndarray, "*figures x"]:
    """Sensitivity at each false positive rate of ``grid``, by straight lines between levels."""
    false, found = _shares(other), _shares(true)
    curve = np.full((*true.shape[:-1], len(grid)), np.nan)
    for place in np.ndindex(true.shape[:-1]):
        if np.isfinite(false[place]).all() and np.isfinite(found[place]).all():
            # Of several points above one another the highest counts.
            last = np.flatnonzero(np.diff(false[place], append=2.0) > 0)
            curve[place] = np.interp(grid, false[place][last], found[place][last])
    return curve


def precision_recall_curve(
    true: Counts, other: Counts, grid: Float[np.ndarray, " x"]
) -> Float[np.ndarray, "*figures x"]:
    """The best precision that keeps at least each sensitivity of ``grid``."""
    right, wrong = _reached(true)[..., ::-1], _reached(other)[..., ::-1]
    precision = np.divide(right, right + wrong, out=np.zeros_like(right), where=right + wrong > 0)
    best = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    recall = _shares(true)
    curve = np.full((*true.shape[:-1], len(grid)), np.nan)
    for place in np.ndindex(true.shape[:-1]):
        if true[place].sum() > 0:
            at = np.minimum(np.searchsorted(recall[place][1:], grid - 1e-12), LEVELS - 1)
            curve[place] = best[place][at]
    return curve


def dice_from(
    true: Float[np.ndarray, " level"], other: Float[np.ndarray, " level"], chances: Float[np.ndarray, " chance"]
) -> Float[np.ndarray, " chance"]:
    """Dice of one record if every point of at least a chance were said to belong; 1 where nothing is there or said."""
    at = np.ceil(chances * (LEVELS - 1) - 1e-9).astype(int)
    right, wrong = _reached(true), _reached(other)
    size = right[at] + wrong[at] + right[0]
    return np.where(size > 0, 2 * right[at] / np.maximum(size, 1), 1.0)


def calibration_curve(
    true: Float[np.ndarray, " level"], other: Float[np.ndarray, " level"], confidence: float, groups: int = 10
) -> tuple[CurvePoint, ...]:
    """Observed share among points of similar chance, in ten groups of equal width, with Wilson's interval.

    The interval takes every point for itself, so that it is narrower than patients would make it.
    """
    number = np.minimum((_CHANCE * groups).astype(int), groups - 1)
    points = []
    for group in range(groups):
        of_group = number == group
        right, total = float(true[of_group].sum()), float((true + other)[of_group].sum())
        if total > 0:
            predicted = float(((true + other) * _CHANCE)[of_group].sum() / total)
            low, high = wilson_interval(right, int(total), confidence)
            points.append(CurvePoint(predicted, right / total, low, high, int(total)))
    return tuple(points)


def _sum(counts: Float[np.ndarray, "*figures _"]) -> Figures:
    return np.asarray(counts.sum(axis=-1))


def _reached(counts: Counts) -> Counts:
    """Points at each level or above."""
    return np.asarray(np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1])


def _shares(counts: Counts) -> Float[np.ndarray, "*figures step"]:
    """Share of the points at or above each level, from none to all."""
    reached = _reached(counts)[..., ::-1]
    total = reached[..., -1:]
    share = np.divide(reached, total, out=np.full(reached.shape, np.nan), where=total > 0)
    return np.concatenate([np.zeros_like(total), share], axis=-1)
