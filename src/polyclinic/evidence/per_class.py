"""Figures of which there may be one for each class, label or region: how they are made, and how they become one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics.multiclass import mean_of_classes
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

Read = Callable[[Any], Float[np.ndarray, "sample ..."]]
Function = Callable[[Any, Weights | None], Figures]


def means(read: Read) -> Function:
    """Mean over the samples for which the figure can be had."""

    def figures(case: Any, weights: Weights | None) -> Figures:
        values = read(case)
        drawn = opened(weights, len(values))
        return closed(ratio(drawn @ np.nan_to_num(values), drawn @ np.isfinite(values).astype(np.float64)), weights)

    return figures


def ratios(part: Read, whole: Read) -> Function:
    """A share over all drawn samples together."""

    def figures(case: Any, weights: Weights | None) -> Figures:
        parts = part(case)
        drawn = opened(weights, len(parts))
        return closed(ratio(drawn @ parts, drawn @ whole(case)), weights)

    return figures


def macro(function: Function) -> Function:
    """Mean over the classes for which the figure can be had."""

    def figure(case: Any, weights: Weights | None) -> Figures:
        found = np.asarray(function(case, weights))
        return closed(mean_of_classes(found[None] if weights is None else found), weights)

    return figure


def on(*names: str) -> Callable[[Callable[..., Any]], Function]:
    """What makes a function of arrays and weights one of a case: the names are those of the case's arrays."""

    def wrap(function: Callable[..., Any]) -> Function:
        return lambda case, weights: function(*(getattr(case, name) for name in names), weights)

    return wrap


def calibration_error(function: Function, about: str) -> Metric:
    """The distance between what was said and how often it was right."""
    return Metric("expected_calibration_error", function, Better.LOWER, about, pooled=True, raised=True)


def counted(name: str, function: Function, about: str) -> Metric:
    """A metric of decisions that are counted over all folds together; higher is better."""
    return Metric(name, function, Better.HIGHER, about, pooled=True)
