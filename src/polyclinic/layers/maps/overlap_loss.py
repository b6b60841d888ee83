"""How far answers at every point are from the truth: cross-entropy of the points and overlap of the regions.

Source: Isensee et al., nnU-Net, Nature Methods 2021 (the sum of both); Milletari et al., 3DV 2016 (the soft Dice).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

_SMOOTH = 1.0  # keeps the overlap defined where a region is empty


Outputs = Float[Tensor, " batch out *grid"]
Shares = Float[Tensor, " batch region *grid"]
Counts = Bool[Tensor, " batch *grid"]
Loss = Float[Tensor, " batch"]


def overlap_loss(output: Outputs, truth: Shares, counts: Counts, smoothing: float, *, exclusive: bool) -> Loss:
    """Cross-entropy plus 1 - Dice of each record.

    Args:
        output: Before softmax (the first = none of the regions) or, where regions may overlap, before a sigmoid.
        truth: Share of each point that belongs to each region.
        counts: Which points count.
        smoothing: Share of the truth given to the other answers.
        exclusive: Whether a point belongs to one region at most.
    """
    wide, shares = output.float(), truth.to(output.device)
    if exclusive:
        whole = torch.cat([1 - shares.sum(1, keepdim=True), shares], dim=1)
        goal = whole * (1 - smoothing) + smoothing / wide.shape[1]
        each = -(goal * F.log_softmax(wide, dim=1)).sum(1).flatten(1)
        chance = wide.softmax(dim=1)[:, 1:]
    else:
        goal = shares * (1 - smoothing) + smoothing / 2
        each = F.binary_cross_entropy_with_logits(wide, goal, reduction="none").mean(1).flatten(1)
        chance = wide.sigmoid()
    seen = counts.to(output.device).flatten(1)
    entropy = (each * seen).sum(1) / seen.sum(1).clamp_min(1)
    claimed, there = (one.flatten(2) * seen[:, None] for one in (chance, shares))
    dice = (2 * (claimed * there).sum(2) + _SMOOTH) / (claimed.sum(2) + there.sum(2) + _SMOOTH)
    return entropy + (1 - dice).mean(1)


def graded_loss(output: Outputs, truth: Shares, counts: Counts, smoothing: float, *, exclusive: bool) -> Loss:
    """The same over outputs of several maps, one behind the other, each counting half as much as the finer one.

    A coarse output is repeated over its blocks of points: its cross-entropy is then that against the share of each
    block that belongs to a region.
    """
    grades = output.chunk(output.shape[1] // (truth.shape[1] + exclusive), dim=1)
    shares = [0.5**grade for grade in range(len(grades))]
    each = [overlap_loss(one, truth, counts, smoothing, exclusive=exclusive) for one in grades]
    return torch.stack([share * one for share, one in zip(shares, each, strict=True)]).sum(dim=0) / sum(shares)
