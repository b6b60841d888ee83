"""Which patch, which steps and which kernels suit pictures and volumes of a size and spacing: rules, no trying.

Source: after Isensee et al., nnU-Net, Nature Methods 2021, supplementary note 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Literal

Network = Literal["2", "2.5", "3"]

_DENSE_POINTS = 1 << 18
"""Most points of a patch, 64 x 64 x 64: what one processor core sees through in about a third of a second."""
_WHOLE_POINTS = 1 << 18
"""Most points of a whole volume: as for a patch, for it costs the same."""
_LONGEST = 64
"""Points on the longest side of a whole volume unless asked otherwise: the edge of the cube of as many points."""
_TOWER_STAGES = 4
"""Stages for a whole volume of 64 points: its coarsest map is then 8 points wide."""
_TOWER_EDGE = 2
"""Only an average follows the coarsest map of a whole volume: it may shrink to fewer points than that of a U-Net."""
_MULTIPLE = 8
"""Three halvings divide it; a patch with more of them is rounded further down."""
_ROUND_UP = 3
"""Sides are rounded down, unless the next multiple is at most this many points away: a smaller patch is cheaper."""
_FLAT = 8
"""Fewer slices than this cannot be halved once and leave the four points of a coarsest stage."""
_NEIGHBOURS = 8
"""Slices that a flat network with neighbours sees at a time. A round number."""
_MUCH_COARSER = 3.0
"""Slices further apart than three pixels count as lying apart. Source: nnU-Net, its rule for anisotropy."""
_SMALLEST_EDGE = 4
"""Fewest points of an axis after halving. Source: nnU-Net."""
_COARSE = 2.0
"""An axis whose spacing is more than this many times the finest is neither halved nor looked along yet: nnU-Net."""
_MOST_STAGES = 6
"""Stages of a U-Net: enough to halve 128 points down to the smallest edge."""
_PICTURE_STAGES = 5
"""Views are 128 pixels wide by rule: five stages leave 8 at the coarsest."""

Steps = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class VolumeShape:
    """The network that suits.

    Attributes:
        network: Slice by slice, with neighbours, or in three dimensions.
        extent: Points that it sees along each axis.
        factor: How much coarser than the spacing it looks.
        strides: Step into each stage.
        kernels: Reach of the convolutions along each axis, by stage.
    """

    network: Network
    extent: tuple[int, ...]
    factor: float
    strides: Steps
    kernels: Steps


def plan_steps(
    spacing: Sequence[float], patch: Sequence[int], most: int = _MOST_STAGES, smallest: int = _SMALLEST_EDGE
) -> tuple[Steps, Steps]:
    """Steps and kernels of every stage: an axis is halved while it is fine enough and long enough.

    Along an axis of coarse spacing convolutions look no further than the slice until the other axes have caught up.

    Args:
        spacing: Length of a step along each axis, in any one unit.
        patch: Points of a patch along each axis.
        most: Most stages.
        smallest: No axis is halved to fewer points.

    Returns:
        Strides and kernels by stage, finest first.
    """
    step, edge = list(map(float, spacing)), list(map(int, patch))
    strides, kernels = [(1,) * len(edge)], []
    seen_along = [False] * len(edge)
    while True:
        finest = min(step)
        seen_along = [old or one <= _COARSE * finest for old, one in zip(seen_along, step, strict=True)]
        kernels.append(tuple(3 if along else 1 for along in seen_along))
        long = [n >= 2 * smallest for n in edge]
        finest = min((one for one, fits in zip(step, long, strict=True) if fits), default=0.0)
        stride = tuple(2 if fits and one < _COARSE * finest else 1 for one, fits in zip(step, long, strict=True))
        if len(strides) >= most or max(stride) == 1:
            return tuple(strides), tuple(kernels)
        strides.append(stride)
        step = [one * by for one, by in zip(step, stride, strict=True)]
        edge = [-(-n // by) for n, by in zip(edge, stride, strict=True)]


def picture_steps(patch: tuple[int, int]) -> tuple[Steps, Steps]:
    """Steps and kernels for views of pictures of this extent: up to five stages.

    Args:
        patch: Height and width of a view.
    """
    return plan_steps((1.0, 1.0), patch, _PICTURE_STAGES)


def fit_steps(extent: tuple[int, int]) -> tuple[int, int]:
    """The next extent that all steps of such a network divide."""
    step = 2 ** (_PICTURE_STAGES - 1)
    height, width = (-(-side // step) * step for side in extent)
    return height, width


def choose_network(shape: Sequence[int], steps: Sequence[float]) -> Network:
    """Three dimensions, unless there are only a few slices that lie far apart: too few to look along."""
    axis = slice_axis(steps)
    apart = steps[axis] > _MUCH_COARSER * min(steps)
    return "2" if apart and shape[axis] < _FLAT else "3"


def slice_axis(steps: Sequence[float]) -> int:
    """The axis across the slices: that of the longest step, else the last."""
    return max(range(len(steps)), key=lambda axis: (round(steps[axis], 3), axis))


def dense_shape(
    shape: Sequence[int],
    steps: Sequence[float],
    network: Network,
    patch: Sequence[int] | None,
    most: int = _DENSE_POINTS,
) -> VolumeShape:
    """For a question asked at every point: a patch, and steps that divide it.

    Args:
        shape: Points of a usual scan along each axis.
        steps: Length of a step along each axis.
        network: What kind.
        patch: Points of a patch, rounded here to what the steps divide; None = by rule.
        most: Most points of a patch.
    """
    extent = list(choose_patch(shape, steps, most, network) if patch is None else patch)
    axis = slice_axis(steps)
    if network == "2":
        extent[axis] = 1
    while True:
        strides, kernels = _planned(steps, extent, network)
        reach = [prod(stride[n] for stride in strides) for n in range(len(extent))]
        fitting = [max(1, side // r) * r for side, r in zip(extent, reach, strict=True)]
        if fitting == extent:
            return VolumeShape(network, tuple(extent), 1.0, strides, kernels)
        extent = fitting


def whole_shape(largest: Sequence[int], steps: Sequence[float], network: Network, longest: int | None) -> VolumeShape:
    """For a question about the whole: an extent that holds nearly all scans, coarser where they are large.

    Args:
        largest: Points of a large scan along each axis.
        steps: Length of a step along each axis.
        network: What kind.
        longest: Points on the longest side; None = up to 64.
    """
    factor = max(1.0, max(largest) / (longest or _LONGEST), (prod(largest) / _WHOLE_POINTS) ** (1 / 3))
    if longest is not None:
        factor = max(largest) / longest
    extent = tuple(max(1, ceil(side / factor)) for side in largest)
    strides, kernels = _planned(steps, extent, network, _TOWER_STAGES, _TOWER_EDGE)
    return VolumeShape(network, extent, factor, strides, kernels)


def choose_patch(shape: Sequence[int], steps: Sequence[float], most: int, network: Network = "3") -> tuple[int, ...]:
    """A patch of about equal length on all sides in the patient, no longer than a usual scan, at most ``most`` points.

    Sides of 8 points or more are rounded to multiples of 8, rather down: a patch that is a little smaller than the
    scan is cheaper, and sees it from many places.
    """
    usual = list(shape)
    if network != "3":
        usual[slice_axis(steps)] = 1 if network == "2" else min(_NEIGHBOURS, shape[slice_axis(steps)])
    low, high = 0.0, 1.0 + max(n * step for n, step in zip(usual, steps, strict=True))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if prod(_sides(usual, steps, middle)) <= most else (low, middle)
    return tuple(_rounded(side) for side in _sides(usual, steps, low))


def _rounded(side: float) -> int:
    return int((side + _ROUND_UP) // _MULTIPLE * _MULTIPLE) if side >= _MULTIPLE else max(1, int(side))


def _sides(shape: Sequence[int], steps: Sequence[float], length: float) -> list[float]:
    return [min(float(n), max(1.0, length / step)) for n, step in zip(shape, steps, strict=True)]


def _planned(
    steps: Sequence[float], extent: Sequence[int], network: Network, most: int = 6, smallest: int = 4
) -> tuple[Steps, Steps]:
    """Steps and kernels; a flat network steps along its slices only, and looks across them at most at full size."""
    axis = slice_axis(steps)
    if network == "3":
        return plan_steps(steps, extent, most, smallest)
    lone = [1 if n == axis else side for n, side in enumerate(extent)]
    strides, kernels = plan_steps(steps, lone, most, smallest)
    flat = [tuple(1 if n == axis else k for n, k in enumerate(kernel)) for kernel in kernels]
    if network == "2.5":
        flat[0] = tuple(3 for _ in flat[0])
    return strides, tuple(flat)
