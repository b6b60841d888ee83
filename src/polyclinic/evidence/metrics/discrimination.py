"""How well a score tells the diseased from the healthy, at every threshold at once."""

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metrics.ranking import area, rank
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

Truth = Float[np.ndarray, " sample"]
Score = Float[np.ndarray, " sample"]


def auroc(truth: Truth, score: Score, weights: Weights | None = None) -> Figures:
    """Chance that a diseased patient scores higher than a healthy one; 0.5 is a coin.

    Equal scores count half. NaN where one class only is present.

    Source: Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
    """
    cases, controls = rank(score).split(opened(weights, len(truth)), truth)
    return closed(area(cases, controls), weights)


def auprc(truth: Truth, score: Score, weights: Weights | None = None) -> Figures:
    """Average precision: PPV averaged over the sensitivities that the thresholds give; a coin gives the prevalence.

    NaN where one class only is present.

    Source: step-wise sum without interpolation, Davis J, Goadrich M. ICML 2006:233-240; as in scikit-learn.
    """
    found, raised = _found_and_raised(truth, score, opened(weights, len(truth)))
    gained = np.diff(found, axis=1, prepend=0.0)
    average = ratio(
        (gained * np.divide(found, raised, out=np.zeros_like(found), where=raised > 0)).sum(1), found[:, -1]
    )
    average[found[:, -1] == raised[:, -1]] = np.nan  # nobody is healthy: nothing to tell apart
    return closed(average, weights)


def roc_curve(truth: Truth, score: Score, grid: Float[np.ndarray, " point"], weights: Weights | None = None) -> Figures:
    """Sensitivity at each false-positive share of ``grid``, straight between thresholds.

    Curves of several folds can be averaged point by point, which is why the false-positive share is fixed.

    Source: vertical averaging, Fawcett T. Pattern Recognition Letters 2006;27:861-874.
    """
    found, raised = _found_and_raised(truth, score, opened(weights, len(truth)))
    sensitivity = _from_zero(ratio(found, found[:, -1:] + 0 * found))
    alarms = raised - found
    false_share = _from_zero(ratio(alarms, alarms[:, -1:] + 0 * alarms))
    lines = [np.interp(grid, x, y) for x, y in zip(false_share, sensitivity, strict=True)]
    curve = np.array(lines).reshape(len(found), len(grid))
    curve[(found[:, -1] == 0) | (alarms[:, -1] == 0)] = np.nan
    return closed(curve, weights)


def precision_recall_curve(
    truth: Truth, score: Score, grid: Float[np.ndarray, " point"], weights: Weights | None = None
) -> Figures:
    """Precision (PPV) at the highest threshold that reaches each sensitivity of ``grid``."""
    found, raised = _found_and_raised(truth, score, opened(weights, len(truth)))
    precision = ratio(found, raised)
    curve = np.full((len(found), len(grid)), np.nan)
    for number, (hits, values) in enumerate(zip(found, precision, strict=True)):
        if hits[-1] > 0:
            first = max(int(np.searchsorted(hits, 0, side="right")), 0)
            places = np.searchsorted(hits, grid * hits[-1] * (1 - 1e-12))
            curve[number] = values[np.maximum(places, first)]
    return closed(curve, weights)


def _found_and_raised(
    truth: Truth, score: Score, weights: Weights
) -> tuple[Float[np.ndarray, "resample tie"], Float[np.ndarray, "resample tie"]]:
    """Diseased among, and all of, those at or above each threshold, from the highest threshold down."""
    cases, controls = rank(-score).split(weights, truth)
    found = np.cumsum(cases, axis=1)
    return found, found + np.cumsum(controls, axis=1)


def _from_zero(values: Float[np.ndarray, "resample tie"]) -> Float[np.ndarray, "resample tie_and_one"]:
    """The same with a leading 0: the threshold that nobody reaches."""
    return np.concatenate([np.zeros((len(values), 1)), values], axis=1)
