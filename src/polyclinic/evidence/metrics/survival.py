"""How right the predicted course over time is, with those who left early accounted for.

Weights against censoring (one over the share of patients still observed) come from the reverse Kaplan-Meier
estimate among the judged samples themselves, once for every resample.
"""

import numpy as np
from jaxtyping import Float
from scipy.integrate import trapezoid

from polyclinic.evidence.metrics.kaplan_meier import event_free, still_observed
from polyclinic.evidence.metrics.ranking import pairs_won
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

Event = Float[np.ndarray, " sample"]
Time = Float[np.ndarray, " sample"]
Grid = Float[np.ndarray, " moment"]

POINTS = 100
"""Moments of the default grid of the integrated Brier score. After the habit of pycox ``EvalSurv``; not
checked against that program, so a comparison with its tables is approximate."""


def follow_up_grid(time: Time, points: int = POINTS) -> Grid:
    """Equally spaced moments from the first to the last follow-up time: the default grid of the Brier score."""
    return np.linspace(time.min(), time.max(), points)


def on_grid(
    times: Float[np.ndarray, "sample point"], survival: Float[np.ndarray, "sample point"], grid: Grid
) -> Float[np.ndarray, "sample moment"]:
    """Survival curves read at other moments: straight lines between points, 1 at time 0, constant after the end.

    NaN where there are no curves (no points).
    """
    if times.shape[1] == 0:
        return np.full((len(times), len(grid)), np.nan)
    rows = zip(times, survival, strict=True)
    read = [np.interp(grid, np.append(0.0, t[t > 0]), np.append(1.0, s[t > 0])) for t, s in rows]
    return np.array(read).reshape(len(times), len(grid))


def within_follow_up(
    times: Float[np.ndarray, "sample point"],
    survival: Float[np.ndarray, "sample point"],
    moments: Grid,
    followed: float,
) -> Float[np.ndarray, "sample moment"]:
    """Survival curves read at named moments; NaN where nobody was followed that long: nothing is extrapolated.

    Args:
        times: Of each curve; it ends with the last event of the training rows.
        survival: Chance to be event-free at each.
        moments: To read them at.
        followed: Longest follow-up of patients that the model was tuned on.
    """
    read = on_grid(times, survival, moments)
    reach = np.maximum(times[:, -1:], followed) if times.shape[1] else np.full((len(times), 1), np.nan)
    return np.where(moments <= reach, read, np.nan)


def on_own_time(
    times: Float[np.ndarray, "sample point"], survival: Float[np.ndarray, "sample point"], time: Time
) -> Float[np.ndarray, " sample"]:
    """Each sample's survival curve read at its own follow-up time; NaN where there are no curves."""
    if times.shape[1] == 0:
        return np.full(len(times), np.nan)
    rows = zip(times, survival, time, strict=True)
    return np.array([np.interp(own, np.append(0.0, t[t > 0]), np.append(1.0, s[t > 0])) for t, s, own in rows])


def brier_over_time(
    event: Event, time: Time, survival: Float[np.ndarray, "sample moment"], grid: Grid, weights: Weights | None = None
) -> Figures:
    """Mean squared distance at each moment between the predicted chance to be event-free and what happened.

    A patient censored before the moment counts through the others who were still observed then. A moment at which
    nobody is observed any more adds nothing.

    Source: Graf E et al. Statistics in Medicine 1999;18:2529-2545, equation for the empirical Brier score BSc.
    """
    drawn = opened(weights, len(time))
    observed = still_observed(event, time, drawn)
    happened = (time[:, None] <= grid[None, :]) * event[:, None]
    free = time[:, None] > grid[None, :]
    lost = (drawn * _inverse(observed.before(time))) @ (happened * survival**2)
    kept = (drawn @ (free * (1 - survival) ** 2)) * _inverse(observed.at(grid))
    total = drawn.sum(axis=1, keepdims=True)
    return closed((lost + kept) / np.where(total > 0, total, np.nan), weights)


def integrated_brier_score(
    event: Event, time: Time, survival: Float[np.ndarray, "sample moment"], grid: Grid, weights: Weights | None = None
) -> Figures:
    """Brier score averaged over time; lower is better, 0.25 says "half" to everybody at every moment.

    The trapezoid rule over ``grid``, divided by its length. ``judge`` takes ``follow_up_grid`` of the fold's test
    samples: 100 moments from the first to the last follow-up time.

    Source: Graf E et al. Statistics in Medicine 1999;18:2529-2545.
    """
    scores = brier_over_time(event, time, survival, grid, opened(weights, len(time)))
    width = grid[-1] - grid[0]
    return closed(trapezoid(scores, grid, axis=1) / (width if width > 0 else np.nan), weights)


def auc_over_time(
    event: Event, time: Time, risk: Float[np.ndarray, " sample"], grid: Grid, weights: Weights | None = None
) -> Figures:
    """At each moment: chance that a patient with the event by then has a higher risk than one still without it.

    NaN at a moment before the first event or after the last follow-up.

    Source: cumulative/dynamic AUC with weights against censoring, Uno H et al. JASA 2007;102:527-537; Hung H,
    Chiang CT. Canadian Journal of Statistics 2010;38:8-26.
    """
    order = np.argsort(risk, kind="stable")
    event, time, risk = event[order], time[order], risk[order]
    drawn = np.take(opened(weights, len(time)), order, axis=1)
    cases = drawn * _inverse(still_observed(event, time, drawn).before(time))
    return closed(np.stack([_auc_at(t, event, time, risk, cases, drawn) for t in grid], axis=1), weights)


def _auc_at(
    moment: float, event: Event, time: Time, risk: Float[np.ndarray, " sample"], cases: Weights, drawn: Weights
) -> Float[np.ndarray, " resample"]:
    early = np.flatnonzero((time <= moment) & (event == 1))
    later = np.flatnonzero(time > moment)
    happened, free = np.take(cases, early, axis=1), np.take(drawn, later, axis=1)
    return ratio(pairs_won(risk[early], happened, risk[later], free), happened.sum(axis=1) * free.sum(axis=1))


def mean_auc(
    event: Event, time: Time, risk: Float[np.ndarray, " sample"], grid: Grid, weights: Weights | None = None
) -> Figures:
    """The time-dependent AUC averaged over ``grid``, each moment counting by the events since the one before.

    Moments without a figure are left out.

    Source: Lambert J, Chevret S. Statistical Methods in Medical Research 2016;25:2088-2102.
    """
    drawn = opened(weights, len(time))
    figures = np.asarray(auc_over_time(event, time, risk, grid, drawn))
    events = -np.diff(event_free(event, time, drawn).at(grid), axis=1, prepend=1.0)
    counted = np.where(np.isfinite(figures), events, 0.0)
    total = counted.sum(axis=1)
    summed = (counted * np.nan_to_num(figures)).sum(axis=1)
    return closed(np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0), weights)


def _inverse(share: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """One over the share, 0 where the share is 0."""
    return np.asarray(np.divide(1.0, share, out=np.zeros_like(share), where=share > 0))
