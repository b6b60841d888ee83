"""Correcting probabilities on rows that nothing was trained on: scale and offset of the logits, or an isotonic curve.

numpy and scipy only. A correction is a small frozen record that travels with the weights as JSON.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict
from scipy.optimize import isotonic_regression, minimize
from scipy.special import log_softmax, logsumexp

FEWEST_ROWS = 20
"""With fewer rows than this nothing is corrected: the correction would be noise."""
FEWEST_PER_CLASS = 5
"""With fewer rows of some class than this the offset stays 0."""
MANY_ROWS = 1000
"""From this many rows on, "auto" also tries an isotonic curve."""

# A weak pull towards "no correction", so that a few well-separated rows cannot ask for certainty. In nats: it takes
# the evidence of a handful of rows to move the scale by half, or the offset by one.
_SD_LOG_SCALE = 0.5
_SD_OFFSET = 1.0
_PARTS = 5  # of cross-validation; the usual number


class IsotonicCurve(BaseModel):
    """A rising curve through ``x``, ``y``, both ascending: raw to corrected probability."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: tuple[float, ...]
    y: tuple[float, ...]


class Recalibration(BaseModel):
    """A correction of probabilities; by default none.

    Attributes:
        scale: Factor on every logit: below 1 the model was too sure. The temperature is its inverse.
        offset: Added to each class's logit; empty = 0.
        curves: One per class; empty = none. Applied to averaged probabilities at scale 1.
        note: What was done and why, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float = 1.0
    offset: tuple[float, ...] = ()
    curves: tuple[IsotonicCurve, ...] = ()
    note: str = "not calibrated"


Logits = Float[np.ndarray, "sample member klass"]
Probabilities = Float[np.ndarray, "sample klass"]
Labels = Int[np.ndarray, " sample"]


def learn(logits: Logits, truth: Labels, method: str) -> Recalibration:
    """The correction that rows with known classes ask for; none, with the reason, where they are too few.

    ``method`` is "none"; "temperature", which gives scale and offset; "isotonic"; or "auto", which is "temperature"
    unless there are many rows and an isotonic curve has the smaller log loss in cross-validation within them.

    Source: temperature and vector scaling after Guo, Pleiss, Sun & Weinberger, ICML 2017, section 4.2, fitted to
    the average of the members' probabilities and with a weak Gaussian prior around "no correction" (ours).
    """
    count = np.bincount(truth, minlength=logits.shape[2])
    if method == "none":
        return Recalibration(note="not calibrated: switched off")
    if len(truth) < FEWEST_ROWS or np.count_nonzero(count) < 2:
        why = "one class only" if np.count_nonzero(count) < 2 and len(truth) else f"{len(truth)} tune rows are too few"
        return Recalibration(note=f"not calibrated: {why}")
    if method == "isotonic" or (method == "auto" and len(truth) >= MANY_ROWS and _isotonic_is_better(logits, truth)):
        return _isotonic(logits, truth)
    return _scaling(logits, truth)


def apply(correction: Recalibration, logits: Logits) -> Probabilities:
    """Corrected probabilities, averaged over members; each row sums to 1."""
    log_p = _average(_log_p(logits, correction.scale, np.asarray(correction.offset or 0.0)))
    p = np.exp(log_p)
    if correction.curves:
        p = np.stack([np.interp(p[:, k], curve.x, curve.y) for k, curve in enumerate(correction.curves)], axis=1)
    normalised: Probabilities = p / p.sum(axis=1, keepdims=True)
    return normalised


def two_sided(outputs: Float[np.ndarray, "sample member"]) -> Logits:
    """The logit of one yes-or-no answer as the logits of two classes, no first."""
    return np.stack([np.zeros_like(outputs), outputs], axis=2)


def _log_p(logits: Logits, scale: float, offset: Float[np.ndarray, "..."]) -> Logits:
    result: Logits = log_softmax(scale * logits.astype(np.float64) + offset, axis=2)
    return result


def _average(log_p: Logits) -> Float[np.ndarray, "sample klass"]:
    """Log of the probability averaged over members."""
    result: Float[np.ndarray, "sample klass"] = logsumexp(log_p, axis=1) - np.log(log_p.shape[1])
    return result


def _scaling(logits: Logits, truth: Labels) -> Recalibration:
    klass = logits.shape[2]
    free = bool(np.bincount(truth, minlength=klass).min() >= FEWEST_PER_CLASS)
    bounds = [(-4.0, 4.0)] + [(-20.0, 20.0) if free else (0.0, 0.0)] * (klass - 1)
    start = np.zeros(klass)
    found = minimize(_objective, start, args=(logits, truth), jac=True, method="L-BFGS-B", bounds=bounds)
    if not np.all(np.isfinite(found.x)) or not found.fun < _objective(start, logits, truth)[0]:
        return Recalibration(note=f"{len(truth)} tune rows ask for no correction")
    offset = (0.0, *(float(value) for value in found.x[1:])) if free else ()
    words = "scale and offset" if free else "scale alone (a class has too few tune rows for an offset)"
    return Recalibration(
        scale=float(np.exp(found.x[0])), offset=offset, note=f"{words} of the logits, from {len(truth)} tune rows"
    )


def _objective(
    parameters: Float[np.ndarray, " parameter"], logits: Logits, truth: Labels
) -> tuple[float, Float[np.ndarray, " parameter"]]:
    """Log loss of the averaged probabilities plus the prior, and its gradient; first log scale, then offsets."""
    scale, offset = np.exp(parameters[0]), np.concatenate([[0.0], parameters[1:]])
    row = np.arange(len(truth))
    log_p = _log_p(logits, scale, offset)
    p = np.exp(log_p)
    own = log_p[row, :, truth]
    share = np.exp(own - logsumexp(own, axis=1, keepdims=True))[:, :, None]
    surplus = -p
    surplus[row, :, truth] += 1
    gradient = np.empty_like(parameters)
    gradient[0] = -np.sum(share * surplus * logits) * scale + parameters[0] / _SD_LOG_SCALE**2
    gradient[1:] = -np.sum(share * surplus, axis=(0, 1))[1:] + parameters[1:] / _SD_OFFSET**2
    prior = 0.5 * ((parameters[0] / _SD_LOG_SCALE) ** 2 + np.sum((parameters[1:] / _SD_OFFSET) ** 2))
    return float(prior - np.sum(_average(log_p)[row, truth])), gradient


def _isotonic(logits: Logits, truth: Labels) -> Recalibration:
    p = apply(Recalibration(), logits)
    curves = [rising_curve(p[:, k], truth == k) for k in range(p.shape[1])]
    if p.shape[1] == 2:  # the two curves of a yes-or-no answer mirror each other: keep them exactly so
        curves[0] = IsotonicCurve(x=tuple(1 - v for v in curves[1].x[::-1]), y=tuple(1 - v for v in curves[1].y[::-1]))
    return Recalibration(curves=tuple(curves), note=f"isotonic curve, from {len(truth)} tune rows")


def rising_curve(p: Float[np.ndarray, " sample"], hit: Bool[np.ndarray, " sample"]) -> IsotonicCurve:
    """The rising curve from predicted to observed chance that fits best; it never reaches 0 or 1 and has no steps.

    Equal neighbours are pooled to one point at their mean and joined by lines, so that ranks survive. The ends stay
    off 0 and 1 by the rule of succession, (k + 1) / (n + 2).

    Source: centred isotonic regression, Oron & Flournoy, Statistics in Biopharmaceutical Research 2017.
    """
    value, place = np.unique(p, return_inverse=True)
    weight = np.bincount(place).astype(np.float64)
    fitted = isotonic_regression(np.bincount(place, weights=hit) / weight, weights=weight)
    start = fitted.blocks[:-1]
    total = np.add.reduceat(weight, start)
    x = np.add.reduceat(value * weight, start) / total
    y = _off_the_ends(fitted.x[start], total)
    low, high = min(float(y[0]) / 2, 1 / (len(p) + 2)), 1 - min((1 - float(y[-1])) / 2, 1 / (len(p) + 2))
    inside = (x > 0) & (x < 1)
    return IsotonicCurve(x=(0.0, *x[inside].tolist(), 1.0), y=(low, *y[inside].tolist(), high))


def _off_the_ends(y: Float[np.ndarray, " pool"], total: Float[np.ndarray, " pool"]) -> Float[np.ndarray, " pool"]:
    """The same rising values with a first 0 and a last 1 replaced by what their number of rows can bear."""
    y = y.copy()
    if y[0] <= 0:
        y[0] = min(1 / (total[0] + 2), 0.5 * y[1] if len(y) > 1 else 1.0)
    if y[-1] >= 1:
        y[-1] = max(1 - 1 / (total[-1] + 2), 0.5 * (1 + y[-2]) if len(y) > 1 else 0.0)
    return y


def _isotonic_is_better(logits: Logits, truth: Labels) -> bool:
    """Whether an isotonic curve has the smaller log loss on tune rows that it was not fitted to."""
    part = np.arange(len(truth)) % _PARTS
    loss = np.zeros(2)
    for held in range(_PARTS):
        inside, outside = part != held, part == held
        for column, fit in enumerate((_scaling, _isotonic)):
            p = apply(fit(logits[inside], truth[inside]), logits[outside])
            loss[column] -= np.sum(np.log(np.maximum(p[np.arange(len(p)), truth[outside]], 1e-12)))
    return bool(loss[1] < loss[0])
