"""How often each sample was drawn: what turns one figure into one figure for every resample.

Every metric of the house takes ``weights`` "resample sample": the multiplicity of each sample in each resample.
Without weights it answers with one float (or one array, for a curve); with weights the first axis of the answer
is the resample. A resample that cannot be judged (nobody drawn, one class only) answers NaN.
"""

import numpy as np
from jaxtyping import Float

Weights = Float[np.ndarray, "resample sample"]
Figures = float | Float[np.ndarray, "..."]


def opened(weights: Weights | None, samples: int) -> Weights:
    """The weights, or every sample counted once."""
    return np.ones((1, samples)) if weights is None else weights


def closed(figures: Float[np.ndarray, "resample ..."], weights: Weights | None) -> Figures:
    """One figure for every resample, or the only one where no weights were given."""
    if weights is not None:
        return figures
    return float(figures[0]) if figures.ndim == 1 else figures[0]


def ratio(part: Float[np.ndarray, "*shape"], whole: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Part of the whole, NaN where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0))


def mean_of(values: Float[np.ndarray, " sample"], weights: Weights) -> Float[np.ndarray, " resample"]:
    """Weighted mean of a value of each sample, for every resample."""
    return ratio(weights @ values, weights.sum(axis=1))
