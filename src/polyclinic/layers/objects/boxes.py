"""Boxes as tensors: how far they overlap, which of several say the same, and boxes told from points. 2-D and 3-D.

A box is its low corner, then its high corner, along the axes of the grid.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_SMALLEST = 1e-6  # keeps a division by an empty box finite
_HALF = 0.5  # of a partial box within another one: it is taken for a part of that


Boxes = Float[Tensor, "*some corner"]


def sizes(boxes: Boxes) -> Float[Tensor, "*some"]:
    """Area or volume; 0 where a corner lies before the other."""
    low, high = boxes.chunk(2, dim=-1)
    return (high - low).clamp(min=0).prod(dim=-1)


def overlaps(
    one: Float[Tensor, "first corner"], other: Float[Tensor, "second corner"]
) -> Float[Tensor, "first second"]:
    """Intersection over union of every box with every other."""
    low, high = one.chunk(2, dim=-1)
    other_low, other_high = other.chunk(2, dim=-1)
    sides = torch.minimum(high[:, None], other_high[None]) - torch.maximum(low[:, None], other_low[None])
    both = sides.clamp(min=0).prod(dim=-1)
    return both / (sizes(one)[:, None] + sizes(other)[None] - both).clamp(min=_SMALLEST)


def generalised_overlap(one: Boxes, other: Boxes) -> Float[Tensor, "*some"]:
    """Overlap of pairs of boxes, less the share of their hull that neither fills: from -1 (far apart) to 1 (equal).

    Unlike the overlap itself it has a slope where boxes do not touch.

    Source: Rezatofighi H et al. Generalized intersection over union. CVPR 2019.
    """
    low, high = one.chunk(2, dim=-1)
    other_low, other_high = other.chunk(2, dim=-1)
    both = (torch.minimum(high, other_high) - torch.maximum(low, other_low)).clamp(min=0).prod(dim=-1)
    union = (sizes(one) + sizes(other) - both).clamp(min=_SMALLEST)
    hull = (torch.maximum(high, other_high) - torch.minimum(low, other_low)).prod(dim=-1).clamp(min=_SMALLEST)
    return both / union - (hull - union) / hull


def from_points(points: Float[Tensor, "*some dim"], distances: Boxes) -> Boxes:
    """Boxes that reach so far below and above each point, along each axis."""
    below, above = distances.chunk(2, dim=-1)
    return torch.cat([points - below, points + above], dim=-1)


def suppress(
    boxes: Float[Tensor, "box corner"],
    scores: Float[Tensor, " box"],
    classes: Int[Tensor, " box"],
    most: float,
    partial: Bool[Tensor, " box"] | None = None,
) -> Int[Tensor, " kept"]:
    """Which boxes are left, best first, when none may overlap a better one of its class by more than ``most``.

    Exact: a box that is itself suppressed suppresses nobody. All boxes are settled together, in as many rounds as
    the longest chain of boxes that suppress each other. Source: Zheng Z et al. IEEE Trans Cybern 2022;52:8574-8586
    (Cluster-NMS gives the result of the loop).

    Args:
        boxes: All boxes.
        scores: Higher = better.
        classes: Boxes of other classes do not meet.
        most: Highest overlap that is borne.
        partial: Boxes that may be the visible part of a larger object, as at the rim of a window. They come after all
            others, and give way to a box that holds more than half of them.
    """
    late = torch.zeros_like(classes, dtype=torch.bool) if partial is None else partial
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[torch.argsort(late[order].int(), stable=True)]
    ranked, named = boxes[order], classes[order]
    rivals = overlaps(ranked, ranked) > most
    rivals |= (_held(ranked) > _HALF) & late[order][None]
    rivals = (rivals & (named[:, None] == named[None])).triu(diagonal=1)
    kept = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    while True:
        left = ~(rivals & kept[:, None]).any(dim=0)
        if bool((left == kept).all()):
            return order[kept]
        kept = left


def _held(boxes: Float[Tensor, "box corner"]) -> Float[Tensor, "box box"]:
    """How much of each box (across) lies in each other one (down)."""
    low, high = boxes.chunk(2, dim=-1)
    sides = torch.minimum(high[:, None], high[None]) - torch.maximum(low[:, None], low[None])
    return sides.clamp(min=0).prod(dim=-1) / sizes(boxes)[None].clamp(min=_SMALLEST)


def peaks(heat: Float[Tensor, " klass *grid"]) -> Bool[Tensor, " klass *grid"]:
    """Points that no neighbour exceeds."""
    pool = torch.nn.functional.max_pool3d if heat.ndim == 4 else torch.nn.functional.max_pool2d
    highest = pool(heat[None], 3, stride=1, padding=1)[0]
    return heat >= highest
