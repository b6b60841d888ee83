"""Correcting probabilities on rows that chose nothing: scale and offset of the logits, or an isotonic curve.

The rows must be answered by networks that neither learned from them nor were chosen by them: see ``training.crossed``.
Every patient counts alike, however many rows there are of one. numpy and scipy only. A correction is a small frozen
record that travels with the weights as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.optimize import isotonic_regression, minimize
from scipy.special import log_softmax, logsumexp

FEWEST_PATIENTS = 20
"""With fewer patients than this nothing is corrected: they say too little even about a large error. A round number."""
FEWEST_PER_CLASS = 5
"""With fewer patients of some class than this the offset stays 0."""
MANY_PATIENTS = 1000
"""From this many patients on, "auto" also tries an isotonic curve."""

AVERAGED = "averaged"
"""The method where the answer is a mean of networks none of which the rows were kept from alone: nothing is learned."""
LEFT_ALONE: Mapping[str, str] = {
    "none": "switched off",
    AVERAGED: "the mean of several networks is less sure than each of them, and is left as it is",
}
"""Methods that correct nothing, and why."""

SD_LOG_SCALE = 0.3
"""How far slopes of networks that were stopped early lie from 1, as a standard deviation: the pull to no correction."""
SD_OFFSET = 0.25
"""The same of the offset. Small ones are mostly noise; one that resampling made is large, and is hardly pulled."""
_PARTS = 5  # of cross-validation; the usual number


class IsotonicCurve(BaseModel):
    """A rising curve through ``x``, ``y``, both ascending: raw to corrected probability."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    x: tuple[float, ...]
    y: tuple[float, ...]

    @model_validator(mode="after")
    def _rises(self) -> "IsotonicCurve":
        within = all(0 <= value <= 1 for value in (*self.x, *self.y))
        if not (len(self.x) == len(self.y) >= 2 and within and self._ascends(self.x) and self._ascends(self.y)):
            raise ValueError("a curve has as many x as y, from 0 to 1, and both ascend")
        if not self.y[-1] > 0:
            raise ValueError("a curve ends above 0")
        return self

    @staticmethod
    def _ascends(values: tuple[float, ...]) -> bool:
        return all(one <= other for one, other in pairwise(values))


class Recalibration(BaseModel):
    """A correction of probabilities; by default none.

    Attributes:
        scale: Factor on every logit: below 1 the model was too sure. The temperature is its inverse.
        offset: Added to each class's logit; empty = 0.
        curves: One per class; empty = none. Applied to averaged probabilities at scale 1.
        note: What was done and why, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    scale: float = Field(default=1.0, gt=0)
    offset: tuple[float, ...] = ()
    curves: tuple[IsotonicCurve, ...] = ()
    note: str = "not calibrated"

    def fits(self, classes: int) -> bool:
        """Whether it is one of answers with so many classes."""
        return len(self.offset) in (0, classes) and len(self.curves) in (0, classes)


Logits = Float[np.ndarray, "sample member klass"]
Probabilities = Float[np.ndarray, "sample klass"]
Labels = Int[np.ndarray, " sample"]


Patients = Int[np.ndarray, " sample"]


def each_alone(samples: int) -> Patients:
    """Every row another patient."""
    return np.arange(samples)


@dataclass(frozen=True)
class _Known:
    """Rows with a known class.

    Attributes:
        patient: Number of each row's patient.
        weight: How much each row counts: all rows of a patient together count as one.
    """

    logits: Logits
    truth: Labels
    patient: Patients
    weight: Float[np.ndarray, " sample"]

    @classmethod
    def of(cls, logits: Logits, truth: Labels, patient: Patients) -> "_Known":
        return cls(logits, truth, patient, share_of_patient(patient))

    def take(self, chosen: Bool[np.ndarray, " sample"]) -> "_Known":
        return _Known(self.logits[chosen], self.truth[chosen], self.patient[chosen], self.weight[chosen])

    def log_loss(self, parameters: Float[np.ndarray, " parameter"]) -> float:
        """Summed over patients, after a correction: first log scale, then offsets."""
        log_p = _log_p(self.logits, float(np.exp(parameters[0])), np.concatenate([[0.0], parameters[1:]]))
        return -float(np.sum(_average(log_p)[np.arange(len(self.truth)), self.truth] * self.weight))

    @property
    def patients(self) -> int:
        return round(float(self.weight.sum()))

    @property
    def per_class(self) -> Float[np.ndarray, " klass"]:
        """Patients of each class; one with rows of two classes counts in part for both."""
        # Of no rows at all numpy counts in whole numbers.
        return np.bincount(self.truth, weights=self.weight, minlength=self.logits.shape[2]).astype(np.float64)


def share_of_patient(patient: Patients) -> Float[np.ndarray, " sample"]:
    """One over the number of rows of the row's patient."""
    _, place, count = np.unique(patient, return_inverse=True, return_counts=True)
    share: Float[np.ndarray, " sample"] = 1.0 / count[place.reshape(-1)]
    return share


def learn(logits: Logits, truth: Labels, method: str, patient: Patients | None = None) -> Recalibration:
    """The correction that rows with known classes ask for; none, with the reason, where patients are too few.

    ``method`` is one of ``LEFT_ALONE``; "temperature", which gives scale and offset; "isotonic"; or "auto", which is
    scale and offset where the rows ask for them, unless there are many patients and an isotonic curve has the smaller
    log loss in cross-validation within them. Without ``patient`` every row is another one.

    Source: temperature and vector scaling after Guo, Pleiss, Sun & Weinberger, ICML 2017, section 4.2, fitted to
    the average of the members' probabilities and with a prior around "no correction" (ours).
    """
    if method in LEFT_ALONE:
        return Recalibration(note=f"not calibrated: {LEFT_ALONE[method]}")
    rows = _Known.of(logits, truth, each_alone(len(truth)) if patient is None else patient)
    classes = np.count_nonzero(rows.per_class)
    if rows.patients < FEWEST_PATIENTS or classes < 2:
        few = f"{rows.patients} patients, fewer than {FEWEST_PATIENTS}, are too few"
        return Recalibration(note=f"not calibrated: {'one class only' if classes == 1 else few}")
    if method == "isotonic" or (method == "auto" and rows.patients >= MANY_PATIENTS and _isotonic_is_better(rows)):
        return _isotonic(rows)
    return _scaling(rows, asked=method == "temperature")


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


def _scaling(rows: _Known, *, asked: bool = False) -> Recalibration:
    klass = rows.logits.shape[2]
    free = bool(rows.per_class.min() >= FEWEST_PER_CLASS)
    bounds = [(-4.0, 4.0)] + [(-20.0, 20.0) if free else (0.0, 0.0)] * (klass - 1)
    start = np.zeros(klass)
    found = minimize(_objective, start, args=(rows,), jac=True, method="L-BFGS-B", bounds=bounds)
    gain = rows.log_loss(start) - rows.log_loss(found.x) if np.all(np.isfinite(found.x)) else 0.0
    if not (asked and gain > 0) and not earns_its_place(gain, klass if free else 1):
        return Recalibration(note=f"left as they are: {rows.patients} patients do not ask for a correction")
    offset = (0.0, *(float(value) for value in found.x[1:])) if free else ()
    words = "scale and offset" if free else "scale alone (a class has too few patients for an offset)"
    return Recalibration(
        scale=float(np.exp(found.x[0])), offset=offset, note=f"{words} of the logits, from {rows.patients} patients"
    )


def earns_its_place(gain: float, constants: int) -> bool:
    """Whether a correction makes rows so much likelier that it can be expected to help others too.

    Args:
        gain: By how many nats the rows are likelier.
        constants: How many numbers were learned for that.

    Source: Akaike's criterion, IEEE Transactions on Automatic Control 1974;19:716-723; for updates of models, where the
    model is kept unless the data speak against it, Vergouwe Y et al. Statistics in Medicine 2017;36:4529-4539.
    """
    return gain > constants


def _objective(
    parameters: Float[np.ndarray, " parameter"], rows: _Known
) -> tuple[float, Float[np.ndarray, " parameter"]]:
    """Log loss of the averaged probabilities plus the prior, and its gradient; first log scale, then offsets."""
    scale, offset = np.exp(parameters[0]), np.concatenate([[0.0], parameters[1:]])
    row = np.arange(len(rows.truth))
    log_p = _log_p(rows.logits, scale, offset)
    p = np.exp(log_p)
    own = log_p[row, :, rows.truth]
    share = np.exp(own - logsumexp(own, axis=1, keepdims=True)) * rows.weight[:, None]
    surplus = -p
    surplus[row, :, rows.truth] += 1
    pull, slope = offset_prior(parameters[1:])
    gradient = np.empty_like(parameters)
    gradient[0] = -np.sum(share[:, :, None] * surplus * rows.logits) * scale + parameters[0] / SD_LOG_SCALE**2
    gradient[1:] = -np.sum(share[:, :, None] * surplus, axis=(0, 1))[1:] + slope
    prior = 0.5 * (parameters[0] / SD_LOG_SCALE) ** 2 + pull
    return float(prior - np.sum(_average(log_p)[row, rows.truth] * rows.weight)), gradient


def offset_prior(offset: Float[np.ndarray, " _"]) -> tuple[float, Float[np.ndarray, " _"]]:
    """The pull of offsets to 0 in nats, and its slope: square near 0, and straight beyond one standard deviation.

    So a true offset of several logits, as resampling a rare class makes, costs a constant force, not a growing one.

    Source: the pseudo-Huber penalty, Charbonnier et al., IEEE Transactions on Image Processing 1997;6:298-311.
    """
    bend = np.sqrt(1 + (offset / SD_OFFSET) ** 2)
    slope: Float[np.ndarray, " _"] = offset / SD_OFFSET**2 / bend
    return float(np.sum(bend - 1)), slope


def _isotonic(rows: _Known) -> Recalibration:
    p = apply(Recalibration(), rows.logits)
    curves = [rising_curve(p[:, k], rows.truth == k, rows.weight) for k in range(p.shape[1])]
    if p.shape[1] == 2:  # the two curves of a yes-or-no answer mirror each other: keep them exactly so
        curves[0] = IsotonicCurve(x=tuple(1 - v for v in curves[1].x[::-1]), y=tuple(1 - v for v in curves[1].y[::-1]))
    return Recalibration(curves=tuple(curves), note=f"isotonic curve, from {rows.patients} patients")


def rising_curve(
    p: Float[np.ndarray, " sample"],
    hit: Bool[np.ndarray, " sample"],
    share: Float[np.ndarray, " sample"] | None = None,
) -> IsotonicCurve:
    """The rising curve from predicted to observed chance that fits best; it never reaches 0 or 1 and has no steps.

    Equal neighbours are pooled to one point at their mean and joined by lines, so that ranks survive. The ends stay
    off 0 and 1 by the rule of succession, (k + 1) / (n + 2). ``share`` says how much each sample counts; by default 1.

    Source: centred isotonic regression, Oron & Flournoy, Statistics in Biopharmaceutical Research 2017.
    """
    share = np.ones(len(p)) if share is None else share
    value, place = np.unique(p, return_inverse=True)
    weight = np.bincount(place, weights=share)
    fitted = isotonic_regression(np.bincount(place, weights=hit * share) / weight, weights=weight)
    start = fitted.blocks[:-1]
    total = np.add.reduceat(weight, start)
    x = np.add.reduceat(value * weight, start) / total
    y = _off_the_ends(fitted.x[start], total)
    low, high = min(float(y[0]) / 2, 1 / (total.sum() + 2)), 1 - min((1 - float(y[-1])) / 2, 1 / (total.sum() + 2))
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


def _isotonic_is_better(rows: _Known) -> bool:
    """Whether an isotonic curve has the smaller log loss on patients that it was not fitted to."""
    part = np.unique(rows.patient, return_inverse=True)[1].reshape(-1) % _PARTS
    loss = np.zeros(2)
    for held in range(_PARTS):
        inside, outside = rows.take(part != held), rows.take(part == held)
        row = np.arange(len(outside.truth))
        for column, fit in enumerate((_scaling, _isotonic)):
            p = apply(fit(inside), outside.logits)
            loss[column] -= np.sum(outside.weight * np.log(np.maximum(p[row, outside.truth], 1e-12)))
    return bool(loss[1] < loss[0])
