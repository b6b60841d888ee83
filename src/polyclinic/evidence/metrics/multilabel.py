"""Several yes-or-no labels at once. A label that is not known for a sample is skipped for that sample."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metrics import calibration, discrimination, operating_point
from polyclinic.evidence.metrics.multiclass import mean_of_classes
from polyclinic.evidence.weights import Figures, Weights, closed, opened

Labels = Float[np.ndarray, "sample label"]
PerLabel = Float[np.ndarray, "resample label"]
Binary = Callable[[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"], Weights], Figures]


def by_label(metric: Binary, truth: Labels, answer: Labels, weights: Weights) -> PerLabel:
    """A two-class metric of each label, over the samples for which that label is known."""
    columns = []
    for label in range(truth.shape[1]):
        known = np.flatnonzero(np.isfinite(truth[:, label]))
        if len(known) == 0:
            columns.append(np.full(len(weights), np.nan))
            continue
        columns.append(np.asarray(metric(truth[known, label], answer[known, label], weights[:, known])))
    return np.stack(columns, axis=1)


def macro(metric: Binary) -> Callable[..., Figures]:
    """A two-class metric averaged over the labels, each counting the same; those without a figure are left out."""

    def average(truth: Labels, answer: Labels, weights: Weights | None = None) -> Figures:
        return closed(mean_of_classes(by_label(metric, truth, answer, opened(weights, len(truth)))), weights)

    return average


macro_auroc = macro(discrimination.auroc)
"""AUROC of each label, averaged.

Source: the evaluator of MedMNIST v2, Yang J et al. Scientific Data 2023;10:41.
"""
macro_auprc = macro(discrimination.auprc)
"""Average precision of each label, averaged."""
macro_f1 = macro(operating_point.f1)
"""F1 of each label at its operating point, averaged."""
accuracy = macro(operating_point.accuracy)
"""Share of right decisions of each label, averaged."""
brier_score = macro(calibration.brier_score)
"""Brier score of each label, averaged."""
log_loss = macro(calibration.log_loss)
"""Log loss of each label, averaged."""
expected_calibration_error = macro(calibration.expected_calibration_error)
"""Calibration error of each label, averaged."""
