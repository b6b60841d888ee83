"""Whether a predicted chance of 20 % comes true in 20 of 100 patients."""

import numpy as np
from jaxtyping import Float
from scipy.special import logit
from scipy.stats import norm

from polyclinic.evidence.records import CurvePoint
from polyclinic.evidence.weights import Figures, Weights, closed, mean_of, opened

Truth = Float[np.ndarray, " sample"]
Chance = Float[np.ndarray, " sample"]

BINS = 15
"""Equal-width bins of the calibration error. Source: Guo C et al. ICML 2017, PMLR 70:1321-1330."""
NEVER = float(np.finfo(np.float64).eps)
"""Chances nearer to 0 or 1 than this are moved there, as scikit-learn does, so that a logarithm stays finite."""

ROUNDS = 60
"""Steps of Newton's method before a fit counts as not to be had; five are usual."""


def brier_score(truth: Truth, probability: Chance, weights: Weights | None = None) -> Figures:
    """Mean squared distance between the predicted chance and what happened; 0 is perfect, 0.25 says "half" always.

    Source: Brier GW. Monthly Weather Review 1950;78:1-3 (the usual half of it for two classes).
    """
    return closed(mean_of((probability - truth) ** 2, opened(weights, len(truth))), weights)


def log_loss(truth: Truth, probability: Chance, weights: Weights | None = None) -> Figures:
    """Mean surprise at what happened, in nats; 0 is perfect, 0.693 says "half" always, sure and wrong costs most."""
    return closed(mean_of(surprise(truth, probability), opened(weights, len(truth))), weights)


def surprise(truth: Truth, probability: Chance) -> Float[np.ndarray, " sample"]:
    """Minus the logarithm of the chance given to what happened."""
    return np.asarray(-np.log(np.clip(np.where(truth == 1, probability, 1 - probability), NEVER, 1.0)))


def expected_calibration_error(truth: Truth, probability: Chance, weights: Weights | None = None) -> Figures:
    """Mean distance between predicted chance and observed share over 15 bins of equal width; 0 is perfect.

    Few patients raise it by chance alone, so read it beside the calibration curve.

    Source: Naeini MP et al. AAAI 2015:2901-2907; bins of Guo C et al. ICML 2017.
    """
    opened_weights = opened(weights, len(truth))
    number = np.clip(np.ceil(probability * BINS).astype(int) - 1, 0, BINS - 1)
    member = np.zeros((len(truth), BINS))
    member[np.arange(len(truth)), number] = probability - truth
    gaps = np.abs(opened_weights @ member).sum(axis=1)
    total = opened_weights.sum(axis=1)
    return closed(np.divide(gaps, total, out=np.full(len(total), np.nan), where=total > 0), weights)


def error_of_found(hits: list[np.ndarray], confidence: list[np.ndarray], weights: Weights | None = None) -> Figures:
    """The same of what was found in samples (boxes, spans), be it none, one or many in each."""
    owner = np.repeat(np.arange(len(hits)), [len(one) for one in hits])
    drawn = opened(weights, len(hits))[:, owner]
    if not len(owner):
        return closed(np.full(len(drawn), np.nan), weights)
    right = np.concatenate(hits).astype(np.float64)
    return closed(np.asarray(expected_calibration_error(right, np.concatenate(confidence), drawn)), weights)


def calibration_slope(truth: Truth, probability: Chance, weights: Weights | None = None) -> Figures:
    """Slope of what happened on the predicted log-odds; 1 is right, below 1 = too extreme, above 1 = too timid.

    Logistic regression of the outcome on the predicted log-odds, fitted by Newton's method for all resamples at
    once. NaN where one class only is present, all chances are equal, or the chances separate the classes without a
    mistake: then no finite slope fits best.

    Source: Cox DR. Biometrika 1958;45:562-565; Van Calster B et al. BMC Medicine 2019;17:230.
    """
    opened_weights = opened(weights, len(truth))
    log_odds = _log_odds(probability)
    spread = log_odds.std()
    if spread == 0:
        return closed(np.full(len(opened_weights), np.nan), weights)
    design = np.stack([np.ones(len(truth)), (log_odds - log_odds.mean()) / spread], axis=1)
    nowhere = np.zeros(len(truth))
    whole = _fit(truth, design, nowhere, np.ones((1, len(truth))), np.zeros(2))[0]
    fitted = _fit(truth, design, nowhere, opened_weights, whole if np.isfinite(whole).all() else np.zeros(2))
    return closed(fitted[:, 1] / spread, weights)


def calibration_intercept(truth: Truth, probability: Chance, weights: Weights | None = None) -> Figures:
    """How far risks are off on the whole, in log-odds; 0 is right, below 0 = predicted too high, above 0 = too low.

    Calibration in the large: the intercept of a logistic regression in which the predicted log-odds have slope 1.

    Source: Van Calster B et al. BMC Medicine 2019;17:230.
    """
    ones = np.ones((len(truth), 1))
    return closed(
        _fit(truth, ones, _log_odds(probability), opened(weights, len(truth)), np.zeros(1))[:, 0],
        weights,
    )


def _log_odds(probability: Chance) -> Float[np.ndarray, " sample"]:
    return np.asarray(logit(np.clip(probability, NEVER, 1 - NEVER)))


def _fit(
    truth: Truth,
    design: Float[np.ndarray, "sample term"],
    offset: Float[np.ndarray, " sample"],
    weights: Weights,
    start: Float[np.ndarray, " term"],
) -> Float[np.ndarray, "resample term"]:
    """Logistic regression for every resample by Newton's method; NaN where no finite fit is best.

    A step after which the likelihood falls steeply went too far: half of it is taken back.
    """
    found = np.tile(start, (len(weights), 1))
    cases = weights @ truth
    live = np.flatnonzero((cases > 0) & (cases < weights.sum(axis=1)))
    done = np.zeros(len(weights), dtype=bool)
    step, gain = np.zeros_like(found), np.zeros(len(weights))
    for _ in range(ROUNDS):
        drawn = weights if len(live) == len(weights) else weights[live]
        slope, newton = _newton(truth, design, offset, drawn, found[live])
        too_far = (slope * step[live]).sum(axis=1) < -0.5 * gain[live]
        back, ahead = live[too_far], live[~too_far]
        step[back] /= 2
        gain[back] /= 2
        found[back] -= step[back]
        step[ahead] = newton[~too_far]
        gain[ahead] = (slope * newton)[~too_far].sum(axis=1)
        found[ahead] += step[ahead]
        done[ahead] = np.abs(step[ahead]).max(axis=1, initial=0.0) < 1e-6  # the error left is about its square
        live = live[~done[live] & np.isfinite(found[live]).all(axis=1)]
        if len(live) == 0:
            break
    found[~done] = np.nan
    return found


def _newton(
    truth: Truth,
    design: Float[np.ndarray, "sample term"],
    offset: Float[np.ndarray, " sample"],
    weights: Weights,
    found: Float[np.ndarray, "resample term"],
) -> tuple[Float[np.ndarray, "resample term"], Float[np.ndarray, "resample term"]]:
    """Slope of the log likelihood and Newton's step, at most 4 long in each term.

    Where the curvature has vanished, a lone intercept goes 4 uphill; a slope has no finite best fit: NaN.
    """
    chance = _expit(found @ design.T + offset)
    expected = weights * chance
    slope = weights @ (truth[:, None] * design) - expected @ design
    expected -= np.multiply(expected, chance, out=chance)  # now the variance
    terms = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), terms * terms)
    curve = (expected @ products).reshape(len(expected), terms, terms)
    step = np.sign(slope) * 4 if terms == 1 else np.full_like(found, np.nan)
    able = np.abs(np.linalg.det(curve)) > 1e-10 * np.maximum(weights.sum(axis=1), 1.0)
    step[able] = np.linalg.solve(curve[able], slope[able][:, :, None])[:, :, 0]
    return slope, np.clip(step, -4, 4)


def _expit(log_odds: Float[np.ndarray, "resample sample"]) -> Float[np.ndarray, "resample sample"]:
    """Chances of log-odds, in place; numpy's tanh uses the whole width of the processor, scipy's expit does not."""
    log_odds *= 0.5
    np.tanh(log_odds, out=log_odds)
    log_odds += 1
    log_odds *= 0.5
    return log_odds


def calibration_curve(truth: Truth, probability: Chance, confidence: float, groups: int = 10) -> tuple[CurvePoint, ...]:
    """Observed share in groups of similar predicted chance, each with its Wilson interval.

    Groups hold about equally many samples; equal predictions stay together, so there may be fewer groups.
    """
    points = []
    for members in equal_groups(probability, groups):
        low, high = wilson_interval(float(truth[members].sum()), len(members), confidence)
        points.append(
            CurvePoint(float(probability[members].mean()), float(truth[members].mean()), low, high, len(members))
        )
    return tuple(points)


def equal_groups(values: Float[np.ndarray, " sample"], groups: int) -> list[np.ndarray]:
    """Samples divided into about equally large groups of ascending values; equal values stay together."""
    edges = np.unique(np.quantile(values, np.arange(1, groups) / groups))
    number = np.searchsorted(edges, values, side="left")
    return [members for group in range(len(edges) + 1) if len(members := np.flatnonzero(number == group))]


def wilson_interval(events: float, n: int, confidence: float) -> tuple[float, float]:
    """Interval of a share that behaves well for few patients and near 0 and 1.

    Source: Wilson EB. JASA 1927;22:209-212.
    """
    z = float(norm.ppf(0.5 + confidence / 2))
    share = events / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
