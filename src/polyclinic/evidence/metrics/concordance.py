"""Who has the event earlier: how often the patient with the higher predicted risk."""

import numpy as np
from jaxtyping import Bool, Float, Int

from polyclinic.evidence.metrics.kaplan_meier import still_observed
from polyclinic.evidence.metrics.ranking import pairs_won
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

Event = Float[np.ndarray, " sample"]
Time = Float[np.ndarray, " sample"]
Risk = Float[np.ndarray, " sample"]
PerResample = Float[np.ndarray, " resample"]

LEAF = 128
"""Pairs within a run of so many patients are compared one by one. It changes the speed only: 128 and 256 were level,
32 cost half as much again (10,000 rows, one core)."""


def concordance_index(event: Event, time: Time, risk: Risk, weights: Weights | None = None) -> Figures:
    """Harrell's C: chance that, of two patients, the one with the earlier event has the higher risk; 0.5 is a coin.

    A pair counts when the earlier time is an event; at equal times when one has the event and the other is
    censored. Equal risks count half. NaN where no pair counts.

    Source: Harrell FE et al. Statistics in Medicine 1996;15:361-387.
    """
    drawn = opened(weights, len(time))
    return closed(_concordance(event, time, risk, drawn, drawn), weights)


def uno_concordance(
    event: Event, time: Time, risk: Risk, weights: Weights | None = None, tau: float = np.inf
) -> Figures:
    """Uno's C: Harrell's C made independent of who was censored when, over events before ``tau``.

    Each pair counts by one over the squared share of patients still observed just before the event. That share is
    the Kaplan-Meier estimate of censoring among the judged samples themselves, again for every resample.

    Source: Uno H et al. Statistics in Medicine 2011;30:1105-1117, equation 6.
    """
    drawn = opened(weights, len(time))
    observed = still_observed(event, time, drawn).before(time)
    inverse = np.divide(1.0, observed, out=np.zeros_like(observed), where=observed > 0)
    cases = drawn * inverse**2 * (time < tau)
    return closed(_concordance(event, time, risk, cases, drawn), weights)


def _concordance(event: Event, time: Time, risk: Risk, cases: Weights, others: Weights) -> PerResample:
    """Weight of the pairs that agree, as a share of the weight of the pairs that count.

    In the order (time, events before censorings) a pair counts if and only if the earlier one is an event and the
    two do not stand in the same group of equal time and kind.
    """
    order = np.lexsort((1 - event, time))
    event, time, risk = event[order], time[order], risk[order]
    changed = (time[1:] != time[:-1]) | (event[1:] != event[:-1])
    starts = np.flatnonzero(np.append(True, changed))
    cases = np.take(cases, order, axis=1) * event
    others = np.take(others, order, axis=1)
    agreed = _agreeing(starts, event == 1, risk, cases, others)
    ends = np.append(starts[1:], len(time))
    until = np.cumsum(others, axis=1)[:, np.repeat(ends, ends - starts) - 1]
    counted = np.einsum("rs,rs->r", cases, until[:, -1:] - until)
    return ratio(agreed, counted)


def _agreeing(
    starts: Int[np.ndarray, " group"],
    event: Bool[np.ndarray, " sample"],
    risk: Risk,
    cases: Weights,
    others: Weights,
) -> PerResample:
    """Weight of the pairs in which the earlier one has the higher risk; equal risks count half.

    The run of patients is halved again and again, at a border between groups. Pairs across a border need only
    running sums of the later half in the order of risk, for all resamples at once: n log n instead of n * n.
    """
    total = np.zeros(len(cases))
    runs = [(0, len(risk))]
    while runs:
        first, last = runs.pop()
        inner = starts[(starts > first) & (starts < last)]
        if len(inner) == 0:
            continue
        if last - first <= LEAF:
            total += _within(first, last, starts, risk, cases, others)
            continue
        middle = int(inner[np.argmin(np.abs(inner - (first + last) // 2))])
        # Pairs of an event in the earlier half and anybody in the later half.
        early = first + np.flatnonzero(event[first:middle])
        total += pairs_won(risk[early], np.take(cases, early, axis=1), risk[middle:last], others[:, middle:last])
        runs += [(first, middle), (middle, last)]
    return total


def _within(
    first: int, last: int, starts: Int[np.ndarray, " group"], risk: Risk, cases: Weights, others: Weights
) -> PerResample:
    """Pairs inside one short run, each compared."""
    group = np.searchsorted(starts, np.arange(first, last), side="right")
    here = risk[first:last]
    later = group[None, :] > group[:, None]
    wins = later * ((here[:, None] > here[None, :]) + 0.5 * (here[:, None] == here[None, :]))
    return np.asarray(np.einsum("rs,rs->r", cases[:, first:last] @ wins, others[:, first:last]))
