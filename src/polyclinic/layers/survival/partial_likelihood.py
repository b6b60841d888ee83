"""Cox's partial likelihood with Efron's treatment of ties, exact and stable for log hazards of any size."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def partial_likelihood_loss(
    log_hazard: Float[Tensor, "row member"], event: Bool[Tensor, " row"], time: Float[Tensor, " row"]
) -> Float[Tensor, "row member"]:
    """Minus the log partial likelihood, shared out over the events: the sum over rows is the whole of it.

    For each event: how surprising it is that this patient, of all who were still at risk, had it. Rows are those
    of one batch; a censored row adds 0 by itself and counts among those at risk up to and including its time. Adding
    a constant to all log hazards changes nothing. Without events the loss and its gradient are 0.

    With d events at one time, of summed hazard T, and others at risk of summed hazard R, Efron's terms are
    log(R + (1 - l / d) T) for l = 0 ... d - 1. Written so, nothing is subtracted and nothing can cancel or
    overflow: R is a running log-sum-exp from the latest time down to just before the tied events.

    Args:
        log_hazard: One per row and member; higher = earlier event.
        event: True where the event was seen, False where the row is censored.
        time: Follow-up.

    Source: Efron, Journal of the American Statistical Association 1977, section 5.
    """
    if not event.any():
        return log_hazard * 0.0
    # Latest first; at one time those censored before those with an event, who come last and so see all others.
    order = torch.argsort(time, descending=True, stable=True)
    order = order[torch.argsort(_rank(time[order]) * 2 + event[order].long(), stable=True)]
    hazard, seen = log_hazard[order], event[order]
    group = (_rank(time[order]) * 2 + seen.long())[seen]
    group = torch.unique_consecutive(group, return_inverse=True)[1]
    terms = _efron_terms(hazard, seen, group)
    losses = torch.zeros_like(hazard)
    losses[seen] = terms - hazard[seen]
    return losses[torch.argsort(order)]


def _efron_terms(
    hazard: Float[Tensor, "row member"], seen: Bool[Tensor, " row"], group: Int[Tensor, " event"]
) -> Float[Tensor, "event member"]:
    """The mean of Efron's terms of an event's tied group, for each event."""
    position = torch.nonzero(seen)[:, 0]
    size = torch.bincount(group)
    first = torch.cumsum(size, 0) - size
    ahead = position[first]
    nobody = torch.full_like(hazard[:1], -torch.inf)
    running = torch.cat([nobody, torch.logcumsumexp(hazard, dim=0)])
    others, tied = running[ahead][group], _log_sum_exp(hazard[seen], group, len(size))[group]
    rank = torch.arange(len(group), device=group.device) - first[group]
    left = torch.log1p(-rank.to(hazard.dtype) / size[group].to(hazard.dtype))
    term = torch.logaddexp(others, tied + left[:, None])
    total = torch.zeros_like(hazard[: len(size)]).index_add(0, group, term)
    return total[group] / size[group, None].to(hazard.dtype)


def _log_sum_exp(
    value: Float[Tensor, "event member"], group: Int[Tensor, " event"], groups: int
) -> Float[Tensor, "group member"]:
    """Log-sum-exp within groups."""
    index = group[:, None].expand_as(value)
    top = torch.full_like(value[:1], -torch.inf).repeat(groups, 1)
    top = top.scatter_reduce(0, index, value.detach(), "amax")
    shrunk = torch.exp(value - top[group])
    return torch.zeros_like(top).index_add(0, group, shrunk).log() + top


def _rank(descending: Float[Tensor, " row"]) -> Int[Tensor, " row"]:
    """Position of each time among the distinct times, latest 0, for times in descending order."""
    rank: Tensor = torch.unique_consecutive(descending, return_inverse=True)[1]
    return rank
