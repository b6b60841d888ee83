"""How near a predicted number is to the measured one."""

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metrics.calibration import equal_groups
from polyclinic.evidence.metrics.ranking import rank
from polyclinic.evidence.records import CurvePoint
from polyclinic.evidence.weights import Figures, Weights, closed, mean_of, opened, ratio

Number = Float[np.ndarray, " sample"]


def rmse(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Root of the mean squared error, in the unit of the number; large errors count most."""
    return closed(np.sqrt(mean_of((value - truth) ** 2, opened(weights, len(truth)))), weights)


def mae(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Mean distance between predicted and measured number, in its unit."""
    return closed(mean_of(np.abs(value - truth), opened(weights, len(truth))), weights)


def within(truth: Number, value: Number, weights: Weights | None = None, share: float = 0.5) -> Figures:
    """Distance that ``share`` of the predicted numbers stay within, in the unit of the number."""
    distance = np.abs(value - truth)
    order = np.argsort(distance, kind="stable")
    counted = np.cumsum(opened(weights, len(truth))[:, order], axis=1)
    reached = counted >= share * counted[:, -1:] - 1e-9  # a share of a sum of ones may be a hair above a whole number
    found = distance[order][reached.argmax(axis=1)]
    return closed(np.where(counted[:, -1] > 0, found, np.nan), weights)


def r2(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Share of the spread between patients that is predicted; 0 = no better than the mean. NaN without spread."""
    opened_weights = opened(weights, len(truth))
    shifted = truth - truth.mean()  # keeps the difference of squares below from losing digits
    error = mean_of((value - truth) ** 2, opened_weights)
    spread = mean_of(shifted**2, opened_weights) - mean_of(shifted, opened_weights) ** 2
    spread[spread <= 1e-12 * max(float(shifted @ shifted), 1e-300)] = 0.0
    return closed(1 - ratio(error, spread), weights)


def spearman(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Correlation of the ranks, equal numbers sharing their mean rank. NaN where either has no spread.

    Source: Spearman C. American Journal of Psychology 1904;15:72-101.
    """
    opened_weights = opened(weights, len(truth))
    return closed(_correlation(_ranks(truth, opened_weights), _ranks(value, opened_weights), opened_weights), weights)


def calibration_slope(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Slope of the measured on the predicted number; 1 is right, below 1 = predictions too extreme."""
    opened_weights = opened(weights, len(truth))
    centred = value - value.mean()
    middle = mean_of(centred, opened_weights)
    spread = mean_of(centred**2, opened_weights) - middle**2
    spread[spread <= 1e-12 * max(float(centred @ centred), 1e-300)] = 0.0
    together = mean_of(centred * truth, opened_weights) - middle * mean_of(truth, opened_weights)
    return closed(ratio(together, spread), weights)


def calibration_intercept(truth: Number, value: Number, weights: Weights | None = None) -> Figures:
    """Mean of measured minus predicted, in the unit of the number; 0 is right, above 0 = predicted too low."""
    return closed(mean_of(truth - value, opened(weights, len(truth))), weights)


def calibration_curve(truth: Number, value: Number, z: float, groups: int = 10) -> tuple[CurvePoint, ...]:
    """Mean measured number in groups of similar predicted number, with ``z`` standard errors to either side."""
    points = []
    for members in equal_groups(value, groups):
        measured = truth[members]
        half = z * float(measured.std(ddof=1)) / np.sqrt(len(measured)) if len(measured) > 1 else float("nan")
        middle = float(measured.mean())
        points.append(CurvePoint(float(value[members].mean()), middle, middle - half, middle + half, len(members)))
    return tuple(points)


def _ranks(values: Number, weights: Weights) -> Float[np.ndarray, "resample sample"]:
    """Mean rank of each sample's value when every sample stands there as often as it was drawn."""
    ranking = rank(values)
    size = ranking.total(weights)
    return ranking.spread(np.cumsum(size, axis=1) - (size - 1) / 2)


def _correlation(
    one: Float[np.ndarray, "resample sample"], other: Float[np.ndarray, "resample sample"], weights: Weights
) -> Float[np.ndarray, " resample"]:
    total = weights.sum(axis=1, keepdims=True)
    total = np.where(total > 0, total, np.nan)
    one = one - (weights * one).sum(axis=1, keepdims=True) / total
    other = other - (weights * other).sum(axis=1, keepdims=True) / total
    together = (weights * one * other).sum(axis=1)
    spreads = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
    return ratio(together, np.sqrt(np.where(spreads > 1e-12, spreads, 0.0)))
