"""Time to an event in intervals: the chance of the event within each, for those who reached it.

Within an interval the hazard is constant, so a patient followed through 30 % of it has passed 30 % of its risk,
and survival curves have no steps. The output for an interval is the log odds of its event; the risk of the whole
interval (its cumulative hazard) is then ``softplus(output)``.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def quantile_edges(event_times: Float[np.ndarray, " event"], intervals: int) -> Float[np.ndarray, " edge"]:
    """Edges of intervals that hold equal numbers of events: 0, the quantiles, the last event. Fewer where times tie.

    Source: quantile cuts after Kvamme & Borgan, Lifetime Data Analysis 2021, section 4.1.
    """
    inner = np.quantile(event_times, np.linspace(0, 1, intervals + 1)[1:], method="inverted_cdf")
    return np.unique(np.concatenate([[0.0], inner]))


def passed(times: Float[np.ndarray, " time"], edges: Float[np.ndarray, " edge"]) -> Float[np.ndarray, "time interval"]:
    """Share of each interval that lies before each time, from 0 to 1."""
    share: Float[np.ndarray, "time interval"] = (times[:, None] - edges[:-1]) / np.diff(edges)
    return share.clip(0.0, 1.0)


def interval_of(times: Float[np.ndarray, " time"], edges: Float[np.ndarray, " edge"]) -> Int[np.ndarray, " time"]:
    """The interval that each time lies in; an edge belongs to the interval it ends. Later times: the last."""
    return np.minimum(np.searchsorted(edges[1:], times, side="left"), len(edges) - 2)


def refine(edges: Float[np.ndarray, " edge"], least: int) -> Float[np.ndarray, " point"]:
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
