"""Residual U-Nets for pictures and volumes, shaped by the spacing of the grid and the size of a patch.

Source: Ronneberger, Fischer & Brox, MICCAI 2015 (the U); He et al., CVPR 2016 (residual blocks); rules for steps and
kernels after Isensee et al., nnU-Net, Nature Methods 2021, supplementary note 2, and Isensee et al., arXiv:2404.09556
(residual encoder, one convolution on the way up).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.tensors import FeatureMaps

_CONVOLUTION: dict[int, Callable[..., nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_BATCH_NORM: dict[int, Callable[[int], nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_LEAK = 0.01  # of the rectifier, as in nnU-Net


@dataclass(frozen=True)
class Stages:
    """The shape of a U-Net, finest stage first; numbers only, so that it can be kept in a plan.

    Attributes:
        channels: Channels of the grid.
        widths: Features of each stage.
        strides: Step into each stage along each axis; of the first stage 1.
        kernels: Reach of the convolutions of each stage along each axis: 1 or an odd number.
        blocks: Residual blocks of each stage on the way down; the finest may have none, where most of the time goes.
    """

    channels: int
    widths: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    kernels: tuple[tuple[int, ...], ...]
    blocks: tuple[int, ...]

    @property
    def dim(self) -> int:
        """Axes of the grid: 2 or 3."""
        return len(self.strides[0])

    @property
    def reach(self) -> tuple[int, ...]:
        """What the extent of a grid must be a multiple of, along each axis."""
        return tuple(prod(stride[axis] for stride in self.strides) for axis in range(self.dim))

    def total_strides(self) -> tuple[tuple[int, ...], ...]:
        """Step of each stage relative to the grid, finest first."""
        return tuple(
            tuple(prod(stride[axis] for stride in self.strides[: stage + 1]) for axis in range(self.dim))
            for stage in range(len(self.strides))
        )


class ResidualDescent(nn.Module):
    """The way down: a stem, then residual stages, each on a coarser grid with more features.

    Args:
        stages: Its shape.
        alone: Whether each feature is normed over the grid of its own record, or over the batch.
    """

    def __init__(self, stages: Stages, alone: bool) -> None:
        super().__init__()
        widths, kernels, strides = stages.widths, stages.kernels, stages.strides
        self.stem = Convolved(stages.channels, widths[0], kernels[0], strides[0], alone)
        steps = ((1,) * stages.dim, *strides[1:])
        self.down = nn.ModuleList(
            residual_stage(widths[max(0, n - 1)], widths[n], kernels[n], steps[n], stages.blocks[n], alone)
            for n in range(len(widths))
        )
        self.width = widths[-1]

    def descend(self, grid: Float[Tensor, "batch channel *grid"]) -> list[Float[Tensor, "batch _ ..."]]:
        """A grid to one map per stage, finest first."""
        x, maps = self.stem(grid), []
        for stage in self.down:
            x = stage(x)
            maps.append(x)
        return maps


class ResidualUNet(ResidualDescent):
    """Down by residual blocks, up again by one convolution a stage, each stage of the way down added to the way up.

    Skips are added, not stacked: the convolution above costs half, and on a processor that is where the time goes.

    Args:
        stages: Its shape.
    """

    def __init__(self, stages: Stages) -> None:
        super().__init__(stages, alone=True)
        self.stages = stages
        widths, kernels, strides = stages.widths, stages.kernels, stages.strides
        self.rise = nn.ModuleList(Rise(widths[n + 1], widths[n], strides[n + 1]) for n in range(len(widths) - 1))
        self.up = nn.ModuleList(
            Convolved(widths[n], widths[n], kernels[n], (1,) * stages.dim) for n in range(len(widths) - 1)
        )
        init_residual(self)

    def forward(self, grid: Float[Tensor, "batch channel *grid"]) -> FeatureMaps:
        """A grid, of an extent that is a multiple of ``stages.reach``, to the maps of the way up."""
        passed = self.descend(grid)
        maps = passed[-1:]
        for n in reversed(range(len(self.up))):
            maps.append(self.up[n](self.rise[n](maps[-1]) + passed[n]))
        return FeatureMaps(tuple(reversed(maps)), passed[-1].flatten(2).mean(2))


class Convolved(nn.Module):
    """A convolution, a norm, and unless it is the end of a block a leaky ReLU.

    Args:
        inside: Features that come.
        outside: Features that go.
        kernel: Reach along each axis.
        stride: Step along each axis.
        alone: Whether each feature is normed over the grid of its own record, or over the batch.
        active: Whether a leaky ReLU follows.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        alone: bool = True,
        active: bool = True,
    ) -> None:
        super().__init__()
        dim = len(kernel)
        # A kernel of 1 would skip points where the step is 2: it then looks as far as the step.
        wide = tuple(max(k, s) for k, s in zip(kernel, stride, strict=True))
        padding = tuple(0 if k == 2 else k // 2 for k in wide)
        self.conv = _CONVOLUTION[dim](inside, outside, wide, tuple(stride), padding, bias=False)
        self.norm = nn.GroupNorm(outside, outside) if alone else _BATCH_NORM[dim](outside)
        self.active = active

    def forward(self, x: Float[Tensor, "batch _ *grid"]) -> Float[Tensor, "batch _ *half"]:
        """Features to features."""
        x = self.norm(self.conv(x))
        return F.leaky_relu(x, _LEAK) if self.active else x


class ResidualBlock(nn.Module):
    """Two convolutions and a way around them; a step is taken by averaging on the way around."""

    def __init__(
        self, inside: int, outside: int, kernel: Sequence[int], stride: Sequence[int], alone: bool = True
    ) -> None:
        super().__init__()
        self.first = Convolved(inside, outside, kernel, stride, alone)
        self.second = Convolved(outside, outside, kernel, (1,) * len(stride), alone, active=False)
        self.around = None if inside == outside and max(stride) == 1 else _pointwise(len(stride), inside, outside)
        self.stride = tuple(stride)

    def forward(self, x: Float[Tensor, "batch _ *grid"]) -> Float[Tensor, "batch _ *half"]:
        """Features to features."""
        around = x if max(self.stride) == 1 else block_mean(x, self.stride)
        around = around if self.around is None else self.around(around)
        return F.leaky_relu(self.second(self.first(x)) + around, _LEAK)


class Rise(nn.Module):
    """To a finer grid: each point gives a block of points, by a matrix of its own (a transposed convolution).

    Written as a product and a rearrangement, which exporters translate faithfully.
    """

    def __init__(self, inside: int, outside: int, stride: Sequence[int]) -> None:
        super().__init__()
        self.spread = _pointwise(len(stride), inside, outside * prod(stride))
        self.stride = tuple(stride)

    def forward(self, x: Float[Tensor, "batch _ *grid"]) -> Float[Tensor, "batch _ *finer"]:
        """Features on a grid to features on the finer one."""
        x = self.spread(x)
        x = x.reshape(x.shape[0], -1, *self.stride, *x.shape[2:])
        dim = len(self.stride)
        order = [0, 1, *(axis for n in range(dim) for axis in (2 + dim + n, 2 + n))]
        x = x.permute(order)
        shape = [x.shape[2 + 2 * n] * self.stride[n] for n in range(dim)]
        return x.reshape(x.shape[0], x.shape[1], *shape)


def block_mean(x: Float[Tensor, "batch _ *grid"], stride: Sequence[int]) -> Float[Tensor, "batch _ *half"]:
    """Mean over blocks of points, incomplete blocks at the far end included."""
    pool = F.avg_pool3d if len(stride) == 3 else F.avg_pool2d
    return pool(x, tuple(stride), ceil_mode=True, count_include_pad=False)


def _pointwise(dim: int, inside: int, outside: int) -> nn.Module:
    """A convolution that looks at one point alone. Never with a step: see ``layers.resnet`` for why."""
    return _CONVOLUTION[dim](inside, outside, 1)


def residual_stage(
    inside: int, outside: int, kernel: Sequence[int], stride: Sequence[int], blocks: int, alone: bool = True
) -> nn.Module:
    """Residual blocks one after another, the first of which takes the step; no blocks = nothing."""
    if blocks == 0:
        return nn.Identity()
    first = ResidualBlock(inside, outside, kernel, stride, alone)
    rest = [ResidualBlock(outside, outside, kernel, (1,) * len(stride), alone) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


def init_residual(network: nn.Module) -> None:
    """Signals neither grow nor fade (He et al., ICCV 2015, eq. 10); every block starts as the way around it."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, a=_LEAK, nonlinearity="leaky_relu")
        elif isinstance(module, ResidualBlock):
            scale = module.second.norm.weight
            assert isinstance(scale, Tensor)
            nn.init.zeros_(scale)
