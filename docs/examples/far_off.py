"""A metric for answers of several classes that have an order: how often the answer is two grades off or more."""

import numpy as np

from polyclinic.evidence.forms.classes.several import MulticlassCase
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio


def far_off(case: MulticlassCase, weights: Weights | None) -> Figures:
    """Share of the samples whose likeliest class lies two or more from the true one."""
    drawn = opened(weights, len(case.truth))
    far = (np.abs(case.decision - case.truth) >= 2).astype(np.float64)
    return closed(ratio(drawn @ far, drawn.sum(axis=1)), weights)


FAR_OFF = Metric(
    "far_off",
    far_off,
    Better.LOWER,
    "share of the patients who get an answer two grades off or more",
    pooled=True,
    title="Far off",
    scale="share",
    form="multiclass",
)
