"""The share of patients without the event over time, when some are still under observation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2, norm

from polyclinic.evidence.records import Estimate, LogRank
from polyclinic.evidence.weights import Weights, opened

Event = Float[np.ndarray, " sample"]
Time = Float[np.ndarray, " sample"]


@dataclass(frozen=True)
class RiskCounts:
    """Events, censorings and patients at risk at each different time of follow-up, for every resample."""

    times: Float[np.ndarray, " step"]
    events: Float[np.ndarray, "resample step"]
    censored: Float[np.ndarray, "resample step"]
    at_risk: Float[np.ndarray, "resample step"]


def count(event: Event, time: Time, weights: Weights | None = None) -> RiskCounts:
    """Count events and censorings by time. ``event`` is 1 or 0."""
    order = np.argsort(time, kind="stable")
    times, starts = np.unique(time[order], return_index=True)
    drawn = np.take(opened(weights, len(time)), order, axis=1)
    everyone, events = drawn, drawn * event[order]
    if len(times) < len(time):
        everyone, events = (np.add.reduceat(values, starts, axis=1) for values in (everyone, events))
    total = everyone.sum(axis=1, keepdims=True)
    at_risk = total - np.cumsum(everyone, axis=1) + everyone
    return RiskCounts(times, events, everyone - events, at_risk)


@dataclass(frozen=True)
class Steps:
    """A share that falls in steps, for every resample: 1 before the first time, constant between times."""

    times: Float[np.ndarray, " step"]
    share: Float[np.ndarray, "resample step"]

    def at(self, moments: Float[np.ndarray, " moment"]) -> Float[np.ndarray, "resample moment"]:
        """The share just after each moment."""
        return self._read(np.searchsorted(self.times, moments, side="right"))

    def before(self, moments: Float[np.ndarray, " moment"]) -> Float[np.ndarray, "resample moment"]:
        """The share just before each moment."""
        return self._read(np.searchsorted(self.times, moments, side="left"))

    def _read(self, place: np.ndarray) -> Float[np.ndarray, "resample moment"]:
        padded = np.concatenate([np.ones((len(self.share), 1)), self.share], axis=1)
        return np.take(padded, place, axis=1)


def event_free(event: Event, time: Time, weights: Weights | None = None) -> Steps:
    """Kaplan-Meier share of patients without the event.

    Source: Kaplan EL, Meier P. JASA 1958;53:457-481.
    """
    counts = count(event, time, weights)
    return Steps(counts.times, _falling(counts.events, counts.at_risk))


def still_observed(event: Event, time: Time, weights: Weights | None = None) -> Steps:
    """Kaplan-Meier share of patients not yet censored: what the weights against censoring are made of.

    At equal times events come before censorings, so those who had the event are no longer at risk of censoring.

    Source: the reverse Kaplan-Meier estimate, Graf E et al. Statistics in Medicine 1999;18:2529-2545, section 3.
    """
    counts = count(event, time, weights)
    return Steps(counts.times, _falling(counts.censored, counts.at_risk - counts.events))


@dataclass(frozen=True)
class KaplanMeier:
    """A Kaplan-Meier curve with its limits, at the times at which something happened."""

    times: Float[np.ndarray, " step"]
    survival: Float[np.ndarray, " step"]
    low: Float[np.ndarray, " step"]
    high: Float[np.ndarray, " step"]
    at_risk: Float[np.ndarray, " step"]


def kaplan_meier(event: Event, time: Time, confidence: float) -> KaplanMeier:
    """Share without the event over time, with pointwise limits on the log(-log) scale.

    Source: Kaplan EL, Meier P. JASA 1958;53:457-481; limits of Kalbfleisch JD, Prentice RL, The Statistical
    Analysis of Failure Time Data, 2nd ed. 2002, section 1.4, with Greenwood's variance.
    """
    counts = count(event, time)
    return _with_limits(counts.times, counts.events[0], counts.at_risk[0], confidence)


def median_follow_up(event: Event, time: Time, confidence: float) -> Estimate:
    """How long patients were watched: the time by which half would have left, had nobody had the event.

    A limit is not known where its curve stays above one half.

    Source: Schemper M, Smith TL. Controlled Clinical Trials 1996;17:343-346 (the reverse Kaplan-Meier estimate); the
    interval of Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    counts = count(event, time)
    curve = _with_limits(counts.times, counts.censored[0], counts.at_risk[0] - counts.events[0], confidence)
    value, low, high = (_half_left(curve.times, share) for share in (curve.survival, curve.low, curve.high))
    return Estimate(value, low, high, len(time))


def _half_left(times: Float[np.ndarray, " step"], share: Float[np.ndarray, " step"]) -> float | None:
    """The first time at which at most half is left."""
    below = np.flatnonzero(share <= 0.5)
    return float(times[below[0]]) if len(below) else None


def _with_limits(
    times: Float[np.ndarray, " step"],
    leaving: Float[np.ndarray, " step"],
    at_risk: Float[np.ndarray, " step"],
    confidence: float,
) -> KaplanMeier:
    """The share that stays, with its limits."""
    survival = _falling(leaving[None], at_risk[None])[0]
    left = at_risk - leaving
    variance = np.cumsum(np.divide(leaving, at_risk * left, out=np.zeros_like(left), where=left > 0))
    inside = (survival > 0) & (survival < 1)
    log_survival = np.log(survival, out=np.full_like(survival, -1.0), where=inside)
    width = float(norm.ppf(0.5 + confidence / 2)) * np.sqrt(variance) / log_survival  # below 0
    low = np.where(inside, survival ** np.exp(-width), survival)
    high = np.where(inside, survival ** np.exp(width), survival)
    return KaplanMeier(times, survival, low, high, at_risk)


def log_rank(event: Event, time: Time, group: Float[np.ndarray, " sample"]) -> LogRank:
    """Log-rank test between two or more groups; NaN where there is one group, or no event that tells.

    Source: Mantel N. Cancer Chemotherapy Reports 1966;50:163-170; several groups after Peto R, Peto J. JRSS A
    1972;135:185-198, with the hypergeometric variance.
    """
    names = np.unique(group)
    everyone = count(event, time, np.stack([(group == name).astype(float) for name in names]))
    events, at_risk = everyone.events.sum(axis=0), everyone.at_risk.sum(axis=0)
    share = everyone.at_risk / at_risk
    surplus = (everyone.events - events * share).sum(axis=1)[:-1]
    shrink = np.divide(at_risk - events, at_risk - 1, out=np.zeros_like(at_risk), where=at_risk > 1)
    spread = np.einsum("t,gt,ht->gh", -events * shrink, share, share)
    spread[np.diag_indices(len(names))] += share @ (events * shrink)
    spread = spread[:-1, :-1]
    if len(names) < 2 or np.linalg.matrix_rank(spread) < len(names) - 1:
        return LogRank(float("nan"), float("nan"))
    statistic = float(surplus @ np.linalg.solve(spread, surplus))
    return LogRank(statistic, float(chi2.sf(statistic, len(names) - 1)))


def _falling(
    leaving: Float[np.ndarray, "resample step"], at_risk: Float[np.ndarray, "resample step"]
) -> Float[np.ndarray, "resample step"]:
    """Product of the shares that stay; nobody at risk changes nothing."""
    gone = np.divide(leaving, at_risk, out=np.zeros_like(leaving), where=at_risk > 0)
    return np.cumprod(1 - gone, axis=1)
