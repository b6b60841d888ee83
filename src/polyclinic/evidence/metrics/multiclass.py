"""Several classes: every class against the rest, and their plain mean."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metrics import calibration, discrimination, operating_point
from polyclinic.evidence.weights import Figures, Weights, closed, mean_of, opened, ratio

ClassNumber = Float[np.ndarray, " sample"]
Chances = Float[np.ndarray, "sample klass"]
PerClass = Float[np.ndarray, "resample klass"]
Binary = Callable[[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"], Weights], Figures]


def by_class(metric: Binary, truth: ClassNumber, chances: Chances, weights: Weights) -> PerClass:
    """A two-class metric of each class against the rest; ``chances`` may also hold 0/1 decisions."""
    columns = range(chances.shape[1])
    return np.stack([np.asarray(metric(one_or_rest(truth, k), chances[:, k], weights)) for k in columns], axis=1)


def one_or_rest(truth: ClassNumber, number: int) -> Float[np.ndarray, " sample"]:
    """1 where the class is this one, else 0."""
    return np.asarray(truth == number, dtype=np.float64)


def mean_of_classes(figures: Float[np.ndarray, "resample klass ..."]) -> Float[np.ndarray, "resample ..."]:
    """Plain mean over the classes for which the figure (or each point of a curve) exists; NaN where for none."""
    known = np.isfinite(figures)
    total = np.where(known, figures, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    return ratio(total, count.astype(np.float64))


def macro_auroc(truth: ClassNumber, probabilities: Chances, weights: Weights | None = None) -> Figures:
    """AUROC of each class against the rest, averaged with every class counting the same.

    A class that is not there (in a resample) is left out of the mean.

    Source: the evaluator of MedMNIST v2, Yang J et al. Scientific Data 2023;10:41.
    """
    figures = by_class(discrimination.auroc, truth, probabilities, opened(weights, len(truth)))
    return closed(mean_of_classes(figures), weights)


def macro_auprc(truth: ClassNumber, probabilities: Chances, weights: Weights | None = None) -> Figures:
    """Average precision of each class against the rest, averaged with every class counting the same."""
    figures = by_class(discrimination.auprc, truth, probabilities, opened(weights, len(truth)))
    return closed(mean_of_classes(figures), weights)


def macro_f1(truth: ClassNumber, decision: ClassNumber, classes: int, weights: Weights | None = None) -> Figures:
    """F1 of each class against the rest, averaged; a class neither present nor decided for is left out."""
    figures = by_class(operating_point.f1, truth, as_columns(decision, classes), opened(weights, len(truth)))
    return closed(mean_of_classes(figures), weights)


def balanced_accuracy(
    truth: ClassNumber, decision: ClassNumber, classes: int, weights: Weights | None = None
) -> Figures:
    """Mean over the classes of the share of that class that was recognised."""
    figures = by_class(operating_point.sensitivity, truth, as_columns(decision, classes), opened(weights, len(truth)))
    return closed(mean_of_classes(figures), weights)


def brier_score(truth: ClassNumber, probabilities: Chances, weights: Weights | None = None) -> Figures:
    """Squared distance between the chances and what happened, summed over the classes: 0 is perfect, 2 the worst.

    Source: Brier GW. Monthly Weather Review 1950;78:1-3, equation 2.
    """
    happened = as_columns(truth, probabilities.shape[1])
    distance = ((probabilities - happened) ** 2).sum(axis=1)
    return closed(mean_of(distance, opened(weights, len(truth))), weights)


def log_loss(truth: ClassNumber, probabilities: Chances, weights: Weights | None = None) -> Figures:
    """Mean surprise at the true class, in nats; 0 is perfect."""
    return closed(mean_of(surprise(truth, probabilities), opened(weights, len(truth))), weights)


def surprise(truth: ClassNumber, probabilities: Chances) -> Float[np.ndarray, " sample"]:
    """Minus the logarithm of the chance given to the true class."""
    given = probabilities[np.arange(len(truth)), truth.astype(int)]
    return np.asarray(-np.log(np.clip(given, calibration.NEVER, 1.0)))


def expected_calibration_error(truth: ClassNumber, probabilities: Chances, weights: Weights | None = None) -> Figures:
    """Mean distance between the chance given to the likeliest class and how often that class was right.

    Source: Guo C et al. ICML 2017, PMLR 70:1321-1330, equation 3, with their 15 bins.
    """
    right = (probabilities.argmax(axis=1) == truth).astype(float)
    return calibration.expected_calibration_error(right, probabilities.max(axis=1), weights)


def as_columns(number: ClassNumber, classes: int) -> Chances:
    """Class numbers as columns of 0 and 1."""
    return np.asarray(number[:, None] == np.arange(classes)[None, :], dtype=np.float64)
