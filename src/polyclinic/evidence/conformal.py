"""How sure a single answer is: sets of classes and half-widths that hold the truth as often as promised.

The promise holds on average over patients who come from where the tune rows came from; calibration on those same
tune rows weakens it slightly.

Source: split conformal prediction, Vovk V, Gammerman A, Shafer G. Algorithmic Learning in a Random World, 2005;
class sets by Sadinle M, Lei J, Wasserman L. JASA 2019;114:223-234; numbers by Lei J et al. JASA 2018;113:1094-1111.
"""

import numpy as np
from jaxtyping import Bool, Float


def class_sets(
    tune: Float[np.ndarray, "tuned klass"],
    tune_truth: Float[np.ndarray, " tuned"],
    probabilities: Float[np.ndarray, "sample klass"],
    confidence: float,
) -> Bool[np.ndarray, "sample klass"]:
    """Which classes belong to each sample's set, so that sets hold the true class as often as ``confidence``.

    No class: nothing like it was seen on tune rows. Several: the model cannot decide. Every class where there are
    too few tune rows for the promise. Tune rows without a known truth (NaN) are left out.
    """
    known = np.isfinite(tune_truth)
    given = tune[known, tune_truth[known].astype(int)].astype(np.float64)
    return np.asarray(1 - probabilities <= _upper(1 - given, confidence) + 1e-12)


def half_width(value: Float[np.ndarray, " sample"], truth: Float[np.ndarray, " sample"], confidence: float) -> float:
    """Half of the interval around a predicted number; infinite where there are too few tune rows for the promise."""
    known = np.isfinite(truth)
    return _upper(np.abs(value[known] - truth[known]).astype(np.float64), confidence)


def _upper(scores: Float[np.ndarray, " sample"], confidence: float) -> float:
    """The score that a new sample stays at or below as often as ``confidence``: a quantile with one row to spare."""
    place = int(np.ceil((len(scores) + 1) * confidence - 1e-9))
    return float("inf") if place > len(scores) else float(np.sort(scores)[place - 1])
