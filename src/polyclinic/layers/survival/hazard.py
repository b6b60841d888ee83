"""Time to an event in intervals: the chance of the event within each, for those who reached it.

Within an interval the hazard is constant, so a patient followed through 30 % of it has passed 30 % of its risk,
and survival curves have no steps. A network's output for an interval is the log odds of the event in it; the risk
of the whole interval (its cumulative hazard) is then ``softplus(output)``.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from torch import Tensor
from torch.nn import functional as F

from polyclinic.decoding.recalibration import LEFT_ALONE, SD_LOG_SCALE, earns_its_place, offset_prior

FEWEST_EVENTS = 10
"""With fewer events than this nothing is corrected: they say too little even about a large error. A round number."""

_TINY = float(np.finfo(np.float64).tiny)


class Drift(BaseModel):
    """A correction of hazards by interval; by default none.

    Attributes:
        centre: Mean output per interval, about which the spread changes; empty = no correction.
        scale: Factor on the spread between patients: below 1 the model was too sure.
        offset: Added to every log odds: above 0 events come earlier than the model said.
        note: What was done and why, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    centre: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    note: str = "not calibrated"


Outputs = Float[np.ndarray, "sample member interval"]
ByInterval = Float[np.ndarray, "sample interval"]
Hazards = Float[np.ndarray, " interval"]
Row = Float[np.ndarray, " sample"]
Edges = Float[np.ndarray, " edge"]
Curves = Float[np.ndarray, "sample point"]


def quantile_edges(event_times: Float[np.ndarray, " event"], intervals: int) -> Edges:
    """Edges of intervals that hold equal numbers of events: 0, the quantiles, the last event. Fewer where times tie.

    Times tie where single precision cannot tell them apart, as with days that were divided into years.

    Source: quantile cuts after Kvamme & Borgan, Lifetime Data Analysis 2021, section 4.1.
    """
    last = -(-np.arange(1, intervals + 1) * len(event_times) // intervals) - 1
    edges = np.unique(np.concatenate([[0.0], np.sort(event_times)[last[last >= 0]]]))
    single = edges.astype(np.float32)
    # Of times that tie the last one is the edge: it belongs to the interval that it ends.
    return np.asarray(edges[np.append(single[1:] > single[:-1], True)])


def passed(times: Float[np.ndarray, " time"], edges: Edges) -> Float[np.ndarray, "time interval"]:
    """Share of each interval that lies before each time, from 0 to 1."""
    share: Float[np.ndarray, "time interval"] = (times[:, None] - edges[:-1]) / np.diff(edges)
    return share.clip(0.0, 1.0)


def interval_of(times: Float[np.ndarray, " time"], edges: Edges) -> Int[np.ndarray, " time"]:
    """The interval that each time lies in; an edge belongs to the interval it ends. Later times: the last."""
    return np.minimum(np.searchsorted(edges[1:], times, side="left"), len(edges) - 2)


def follow(time: Row, event: Row, edges: Edges) -> tuple[ByInterval, ByInterval]:
    """Follow-up by interval: the share of each that passed without event, and 1 where the event happened."""
    exposure, happened = passed(time, edges), np.zeros((len(time), len(edges) - 1))
    seen = np.flatnonzero(event == 1)
    own = interval_of(time[seen], edges)
    happened[seen, own] = 1.0
    exposure[seen, own] = 0.0
    return exposure, happened


def tally(
    time: Row, event: Row, edges: Edges, weight: Row | None = None, share: Row | None = None
) -> tuple[Hazards, Hazards]:
    """Events and (weighted) patients followed in each interval; their ratio is the interval's cumulative hazard.

    ``share`` says how much each row counts, in both; by default 1.
    """
    share = np.ones(len(time)) if share is None else share
    seen = event == 1
    # Of no events at all numpy counts in whole numbers.
    events = np.bincount(interval_of(time[seen], edges), weights=share[seen], minlength=len(edges) - 1).astype(float)
    return events, (share if weight is None else share * weight) @ passed(time, edges)


def mortality(risk: Outputs, share: Hazards, edges: Edges) -> Row:
    """Log of the cumulative hazard averaged over the times of the training rows' events: higher = earlier event.

    Source: "mortality", Ishwaran et al., Annals of Applied Statistics 2008, section 4.1.
    """
    result: Row = np.log(np.maximum(-log_survival(risk, edges[1:], edges) @ share, _TINY))
    return result


def refine(edges: Edges, least: int) -> Float[np.ndarray, " point"]:
    """The edges with as many points between them, evenly, as make at least ``least`` steps in all."""
    parts = -(-least // (len(edges) - 1))
    within = np.linspace(edges[:-1], edges[1:], parts, endpoint=False, axis=1).ravel()
    return np.append(within, edges[-1])


def hazard_loss(
    output: Float[Tensor, "row member interval"],
    exposure: Float[Tensor, "row interval"],
    happened: Float[Tensor, "row interval"],
) -> Float[Tensor, "row member"]:
    """Minus the log likelihood of each row: it passed the intervals of ``exposure`` and met the event of ``happened``.

    Args:
        output: Log odds of the event in each interval.
        exposure: Share of each interval that passed without event; 0 in the interval of the event.
        happened: 1 in the interval of the event, else 0; all 0 where censored.

    Source: Gensheimer & Narasimhan, PeerJ 2019, eq. 2, with part of an interval counted for those censored in it.
    """
    quiet = (exposure[:, None] * F.softplus(output)).sum(dim=2)
    return quiet + (happened[:, None] * F.softplus(-output)).sum(dim=2)


def cosines(intervals: int, terms: int) -> Float[np.ndarray, "term interval"]:
    """The first cosines over the middle of evenly spaced intervals, the first of them constant; all of size 1."""
    middle = (np.arange(intervals) + 0.5) / intervals
    return np.cos(np.pi * np.arange(min(terms, intervals))[:, None] * middle)


def learn(outputs: Outputs, exposure: ByInterval, happened: ByInterval, method: str, share: Row | None = None) -> Drift:
    """The correction that follow-up on rows outside the training asks for; none where events are too few.

    ``method`` is one of ``LEFT_ALONE``, or anything else for scale and offset; ``share`` says how much each row counts,
    by default 1.
    """
    share = np.ones(len(outputs)) if share is None else share
    events = round(float(share @ happened.sum(axis=1)))
    few = f"{events} events, fewer than {FEWEST_EVENTS}, are too few"
    if why := LEFT_ALONE.get(method, few if events < FEWEST_EVENTS else ""):
        return Drift(note=f"not calibrated: {why}")
    centre = outputs.mean(axis=(0, 1))
    arguments = (outputs - centre, centre, exposure, happened, share)
    bounds = [(-4.0, 4.0), (-20.0, 20.0)]
    found = minimize(_objective, np.zeros(2), args=arguments, jac=True, method="L-BFGS-B", bounds=bounds)
    gain = _likelier(found.x, *arguments) if np.all(np.isfinite(found.x)) else 0.0
    if gain <= 0 or (method == "auto" and not earns_its_place(gain, constants=2)):
        return Drift(note=f"left as they are: {events} events do not ask for a correction")
    return Drift(
        centre=tuple(centre.tolist()),
        scale=float(np.exp(found.x[0])),
        offset=float(found.x[1]),
        note=f"scale and offset of the log odds by interval, from {events} events",
    )


def _likelier(at: Float[np.ndarray, "2"], *arguments: Any) -> float:
    """By how many nats follow-up is likelier after a correction."""
    without, _ = _objective(np.zeros(2), *arguments)
    after, _ = _objective(at, *arguments)
    pull = 0.5 * (at[0] / SD_LOG_SCALE) ** 2 + offset_prior(at[1:])[0]
    return float(without - (after - pull))


def _objective(
    parameters: Float[np.ndarray, "2"],
    spread: Outputs,
    centre: Edges,
    exposure: ByInterval,
    happened: ByInterval,
    share: Row,
) -> tuple[float, Float[np.ndarray, "2"]]:
    """Minus the log likelihood, averaged over members within each row, plus the prior; and its gradient."""
    scale, offset = np.exp(parameters[0]), parameters[1]
    z = centre + scale * spread + offset
    quiet, met = exposure[:, None], happened[:, None]
    likelihood = -(quiet * np.logaddexp(0, z) + met * np.logaddexp(0, -z)).sum(axis=2)
    total = logsumexp(likelihood, axis=1, keepdims=True)
    slope = (met * expit(-z) - quiet * expit(z)) * np.exp(likelihood - total)[:, :, None] * share[:, None, None]
    gradient = np.array([-scale * np.sum(slope * spread), -np.sum(slope)])
    pull, force = offset_prior(parameters[1:])
    gradient += np.array([parameters[0] / SD_LOG_SCALE**2, force[0]])
    prior = 0.5 * (parameters[0] / SD_LOG_SCALE) ** 2 + pull
    return float(prior - share @ total[:, 0] + share.sum() * np.log(z.shape[1])), gradient


def risks(drift: Drift, outputs: Outputs) -> Outputs:
    """Corrected cumulative hazard of each interval."""
    centre = np.asarray(drift.centre or 0.0)
    risk: Outputs = np.logaddexp(0, centre + drift.scale * (outputs - centre) + drift.offset)
    return risk


def log_survival(risk: Outputs, times: Float[np.ndarray, " point"], edges: Edges) -> Curves:
    """Log of the chance of no event up to each time, averaged over members; constant after the last edge."""
    curves: Curves = logsumexp(-(risk @ passed(times, edges).T), axis=1) - np.log(risk.shape[1])
    return np.minimum.accumulate(np.minimum(curves, 0.0), axis=1)


def log_odds(risk: Hazards) -> Hazards:
    """The output whose ``softplus`` is ``risk``: the inverse, safe for tiny and large risks."""
    result: Hazards = risk + np.log(-np.expm1(-np.maximum(risk, 1e-8)))
    return result
