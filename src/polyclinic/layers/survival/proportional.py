"""Proportional hazards: from a log hazard to a curve, by a baseline hazard that is constant within intervals."""

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize_scalar

from polyclinic.decoding.recalibration import LEFT_ALONE, SD_LOG_SCALE, earns_its_place
from polyclinic.layers.survival.hazard import FEWEST_EVENTS, Edges, Hazards, Outputs, Row, tally
from polyclinic.layers.survival.partial_likelihood import partial_likelihood_loss

# Events' worth of trust, in each interval, in the shape of the training rows' hazard.
_PRIOR_EVENTS = 5.0
# A relative hazard of e^50 is certainty; beyond it numbers overflow without telling more.
_WIDEST = 50.0


class BaselineHazard(BaseModel):
    """What turns a log hazard into a curve; by default the population's hazards, for log hazards around 0.

    Attributes:
        centre: Log hazard of the average patient.
        scale: Factor on the log hazard: below 1 the model was too sure.
        risks: Cumulative hazard of each interval for the average patient; empty = the population's.
        note: What was done and why, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    centre: float = 0.0
    scale: float = 1.0
    risks: tuple[float, ...] = ()
    note: str = "baseline hazard of the training rows"


def learn(
    log_hazard: Row,
    time: Row,
    event: Row,
    edges: Edges,
    population: Hazards,
    method: str,
    share: Row | None = None,
) -> BaselineHazard:
    """Scale and baseline hazard from rows outside the training.

    The scale is the slope of Cox's model on the log hazard, 1 with method "none", with few events, and where they do
    not ask for another one. The baseline is events over summed relative hazards in each interval (Breslow's estimate,
    by interval), pulled towards the shape of ``population`` as if that had been seen in five more events: the
    posterior mean under a gamma prior.
    ``share`` says how much each row counts, by default 1.

    Source: Breslow, Journal of the Royal Statistical Society B 1972, discussion of Cox's paper; the prior is ours.
    """
    if not len(log_hazard):
        return BaselineHazard(note="baseline hazard of the training rows: there are no tune rows")
    share = np.ones(len(log_hazard)) if share is None else share
    events = round(float(share @ (event == 1)))
    free = method not in LEFT_ALONE and events >= FEWEST_EVENTS
    centre = float(log_hazard.mean())
    scale = _scale(log_hazard - centre, time, event, share, asked=method != "auto") if free else 1.0
    start = BaselineHazard(centre=centre, scale=scale)
    seen, exposure = tally(time, event, edges, np.exp(relative(start, log_hazard)), share)
    shape = np.maximum(population, 1e-12)
    shape = shape * (seen.sum() + 1) / (exposure @ shape + 1)
    baseline = (seen + _PRIOR_EVENTS) / (exposure + _PRIOR_EVENTS / shape)
    note = f"{'scale and ' if free else ''}baseline hazard, from {events} events in {len(time)} rows"
    return start.model_copy(update={"risks": tuple(baseline.tolist()), "note": note})


def relative(baseline: BaselineHazard, log_hazard: Row) -> Row:
    """Corrected log hazard relative to the average patient."""
    result: Row = baseline.scale * (log_hazard - baseline.centre)
    return result.clip(-_WIDEST, _WIDEST)


def risks(baseline: BaselineHazard, relative_log_hazard: Row, population: Hazards) -> Outputs:
    """Cumulative hazard of each interval, as the only member."""
    risk: Outputs = np.exp(relative_log_hazard)[:, None, None] * np.asarray(baseline.risks or population)
    return risk


def _scale(log_hazard: Row, time: Row, event: Row, share: Row, *, asked: bool) -> float:
    """Slope of the log hazard, with a weak pull towards 1."""
    x, seen, until = torch.from_numpy(log_hazard)[:, None], torch.from_numpy(event == 1), torch.from_numpy(time)

    def objective(log_scale: float) -> float:
        losses = partial_likelihood_loss(x * float(np.exp(log_scale)), seen, until)[:, 0]
        return float(share @ losses.numpy()) + 0.5 * (log_scale / SD_LOG_SCALE) ** 2

    best = float(minimize_scalar(objective, bounds=(-4.0, 4.0), method="bounded").x)
    gain = objective(0.0) - (objective(best) - 0.5 * (best / SD_LOG_SCALE) ** 2)
    return float(np.exp(best)) if asked or earns_its_place(gain, constants=1) else 1.0
