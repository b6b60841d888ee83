"""A detector without anchors: on a grid, how likely an object's centre is here, and how far its box reaches.

2-D and 3-D by one code. Source: Zhou X, Wang D, Krähenbühl P. Objects as points. arXiv:1904.07850 (heat maps and their
loss); Liu Z et al. Training-time-friendly network. AAAI 2020 (heat by the box's own sides; many points of a box learn
its reach, weighed by the heat); Tian Z et al. FCOS. ICCV 2019 (distances to the four sides).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.layers.maps.point_outputs import point_layer
from polyclinic.layers.maps.unet import Convolved
from polyclinic.layers.objects.boxes import from_points, generalised_overlap, peaks, sizes

_RARE = 0.01
"""What the network says at first: objects are rare. Source: Lin TY et al. Focal loss. ICCV 2017."""
_RARELY = math.log(_RARE / (1 - _RARE))
_REACH = 0.54
"""Share of a box over which its heat spreads, six standard deviations across. Source: Liu et al."""
_NARROWEST = 0.35
"""Least standard deviation of the heat, in points of the map: so small an object still touches its neighbours."""
_LEAST_HEAT = 0.05  # below it a point belongs to no box; a round number
_BOX_SHARE = 2.5  # weight of the boxes beside the heat; a round number
_NARROWEST_TOWER = 32  # features at least; a round number
_USUAL_REACH = 4.0
"""Points of the map from the middle of an object to its side, to begin with."""
_LONGEST = 12.0
"""Logarithm of the furthest reach that can be said: keeps a wild output finite."""


Boxes = Float[Tensor, "batch object corner"]
Heat = Float[Tensor, "batch object *grid"]


@dataclass(frozen=True)
class ObjectTensors:
    """The objects of some views, filled up to the same number.

    Attributes:
        classes: -1 = filling.
        boxes: In points of the network's grid.
    """

    classes: Int[Tensor, "batch object"]
    boxes: Boxes


@dataclass(frozen=True)
class Truth:
    """What the detector should say about some views.

    Attributes:
        heat: 1 at the centre of an object of the class, falling off around it.
        boxes: For each point the box that it learns, in points of the network's grid.
        weight: How much it learns of it; sums to 1 over the points of an object.
    """

    heat: Float[Tensor, "batch klass *grid"]
    boxes: Float[Tensor, "batch *grid corner"]
    weight: Float[Tensor, " batch *grid"]


class Detector(nn.Module):
    """Two short towers of convolutions on one map of an encoder.

    The output has a channel for each class (log-odds that an object of it is centred here), then the logarithm of the
    distance to the low and to the high side along each axis, where 0 stands for four points of the map.

    Args:
        inside: Channels of the map.
        classes: Number of classes.
        dim: Axes of the grid.
    """

    def __init__(self, inside: int, classes: int, dim: int) -> None:
        super().__init__()
        kernel, step, width = (3,) * dim, (1,) * dim, max(_NARROWEST_TOWER, inside)
        self.what = nn.Sequential(Convolved(inside, width, kernel, step), point_layer(dim, width, [_RARELY] * classes))
        self.where = nn.Sequential(Convolved(inside, width, kernel, step), point_layer(dim, width, [0.0] * (2 * dim)))

    def forward(self, seen: Float[Tensor, "batch inside *grid"]) -> Float[Tensor, "batch out *grid"]:
        """Heat of each class and reach of the box, at every point of the map."""
        return torch.cat([self.what(seen), self.where(seen)], dim=1)


def level_near(strides: Sequence[tuple[int, ...]], stride: int) -> int:
    """The finest map whose step is at least ``stride`` along its widest axis; else the coarsest."""
    wide = [max(steps) >= stride for steps in strides]
    return wide.index(True) if any(wide) else len(wide) - 1


def truth_on(objects: ObjectTensors, classes: int, size: tuple[int, ...], grid: tuple[int, ...]) -> Truth:
    """What the detector should say about views of ``size`` on a map of ``grid`` points.

    Where objects lie on each other, a point learns the box of the smallest.
    """
    steps = [n / m for n, m in zip(size, grid, strict=True)]
    real = objects.classes >= 0
    heat = _heat(objects.boxes, steps, grid)
    everywhere = (*real.shape, *[1] * len(grid))
    heat = heat * real.reshape(everywhere)
    named = [heat.where((objects.classes == k).reshape(everywhere), 0.0).amax(dim=1) for k in range(classes)]
    owner, weight = _owners(objects.boxes, heat)
    corners = objects.boxes.shape[-1]
    boxes = torch.gather(objects.boxes, 1, owner.flatten(1)[..., None].expand(-1, -1, corners))
    return Truth(torch.stack(named, dim=1), boxes.reshape(len(boxes), *grid, corners), weight)


def _heat(boxes: Boxes, steps: list[float], grid: tuple[int, ...]) -> Heat:
    """A bell over each object, with sides in proportion to the box, and exactly 1 at the point its centre lies in."""
    low, high = boxes.chunk(2, dim=-1)
    whole: Tensor | None = None
    for axis, (step, count) in enumerate(zip(steps, grid, strict=True)):
        centre = (low[..., axis] + high[..., axis]) / (2 * step)
        spread = ((high - low)[..., axis] * (_REACH / 6 / step)).clamp(min=_NARROWEST)
        points = torch.arange(count, device=boxes.device) + 0.5
        own = centre.floor().clamp(0, count - 1) + 0.5
        # Distances count from the middle of the point that the centre lies in, so that the peak is exactly 1.
        bell = torch.exp(-(((points - own[..., None]) / spread[..., None]) ** 2) / 2)
        bell = bell.reshape(*bell.shape[:2], *[count if k == axis else 1 for k in range(len(grid))])
        whole = bell if whole is None else whole * bell
    assert whole is not None
    return whole


def _owners(boxes: Boxes, heat: Heat) -> tuple[Int[Tensor, " batch *grid"], Float[Tensor, " batch *grid"]]:
    """Which object each point learns, and with which weight."""
    touched = heat > _LEAST_HEAT
    area = sizes(boxes).reshape(*heat.shape[:2], *[1] * (heat.ndim - 2))
    owner = torch.where(touched, area, torch.inf).argmin(dim=1)
    mine = torch.gather(heat, 1, owner[:, None])[:, 0] * touched.any(dim=1)
    flat = owner.flatten(1)
    total = torch.zeros(heat.shape[:2], device=heat.device).scatter_add(1, flat, mine.flatten(1))
    share = mine.flatten(1) / torch.gather(total, 1, flat).clamp(min=1e-6)
    return owner, share.reshape(mine.shape)


def boxes_at(
    distances: Float[Tensor, "batch corner *grid"], size: tuple[int, ...]
) -> Float[Tensor, "batch *grid corner"]:
    """The box that every point gives, in points of the network's grid."""
    grid = tuple(distances.shape[2:])
    steps = distances.new_tensor([n / m for n, m in zip(size, grid, strict=True)])
    axes = [torch.arange(m, device=distances.device) + 0.5 for m in grid]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1) * steps
    reach = distances.movedim(1, -1).clamp(-_LONGEST, _LONGEST).exp() * (_USUAL_REACH * steps.repeat(2))
    return from_points(points.expand(len(distances), *points.shape), reach)


def detection_loss(
    output: Float[Tensor, "batch out *grid"], objects: ObjectTensors, classes: int, size: tuple[int, ...]
) -> Float[Tensor, " batch"]:
    """Focal loss of the heat and distance of the boxes, by view, over the mean number of objects in a view."""
    output = output.float()
    truth = truth_on(objects, classes, size, tuple(output.shape[2:]))
    heat = _focal(output[:, :classes], truth.heat).flatten(1).sum(dim=1)
    overlap = generalised_overlap(boxes_at(output[:, classes:], size), truth.boxes)
    boxes = (truth.weight * (1 - overlap)).flatten(1).sum(dim=1)
    usual = (objects.classes >= 0).sum(dim=1).float().mean().clamp(min=1.0)
    return (heat + _BOX_SHARE * boxes) / usual


def _focal(logits: Float[Tensor, "*shape"], heat: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Focal loss of heat: points near a centre cost less when they are called one. Source: Objects as points."""
    chance = logits.sigmoid()
    right = (1 - chance) ** 2 * F.logsigmoid(logits)
    wrong = (1 - heat) ** 4 * chance**2 * F.logsigmoid(-logits)
    return -torch.where(heat >= 1 - 1e-6, right, wrong)


def read_off(
    output: Float[Tensor, " out *grid"], classes: int, size: tuple[int, ...], most: int
) -> tuple[Float[Tensor, " box"], Int[Tensor, " box"], Float[Tensor, "box corner"]]:
    """The objects of one view: the highest ``most`` peaks of the heat.

    Returns:
        Log-odds, class, and box in points of the network's grid.
    """
    heat = output[:classes].float()
    chosen = torch.where(peaks(heat), heat, -torch.inf).flatten()
    score, place = chosen.topk(min(most, len(chosen)))
    score, place = score[score > -torch.inf], place[score > -torch.inf]
    points = heat[0].numel()
    boxes = boxes_at(output[None, classes:].float(), size)[0].flatten(0, -2)
    return score, place // points, boxes[place % points]
