"""Survival curves of several fits as one. numpy only."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

Curves = Float[np.ndarray, "sample point"]
Common = Float[np.ndarray, "sample common"]
OwnGrid = Float[np.ndarray, "sample _"]

LEAST_STEPS = 72
"""Steps of the curves that are reported: fine enough that straight lines between them are as good as the curve."""
_TINY = float(np.finfo(np.float64).tiny)


def average_curves(curves: Sequence[tuple[OwnGrid, OwnGrid]], least: int = LEAST_STEPS) -> tuple[Common, Common]:
    """Several survival curves for each sample, on grids of their own, as their mean on a common grid.

    Args:
        curves: Times and survival, both "sample point", of each fit.
        least: The common grid has at least this many steps.
    """
    points = max(least + 1, *(times.shape[1] for times, _ in curves))
    every = np.concatenate([times for times, _ in curves], axis=1)
    grids, which = np.unique(every, axis=0, return_inverse=True)
    thinned = []
    for grid in map(np.unique, grids):
        # As dense where the grid is dense; first and last stay.
        thinned.append(np.interp(np.linspace(0, 1, points), np.linspace(0, 1, len(grid)), grid))
    common = np.stack(thinned)[which.ravel()]
    return common, np.mean([_at(times, survival, common) for times, survival in curves], axis=0)


def _at(times: Curves, survival: Curves, wanted: Common) -> Common:
    """Curves at other times: the hazard is constant between points, nothing happens after the last."""
    log_survival = np.log(np.maximum(survival, _TINY))
    rows = zip(wanted, times, log_survival, strict=True)
    read: Common = np.exp(np.array([np.interp(w, t, s) for w, t, s in rows]).reshape(wanted.shape))
    return read
