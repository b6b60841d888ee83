"""Outputs at every point of a grid from the maps of a U-Net; while training also from its coarser maps.

Source: Lee et al., AISTATS 2015 (deep supervision); Isensee et al., nnU-Net, Nature Methods 2021 (in a U-Net).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.layers.maps.moved import enlarged

_COARSER = 2
"""How many coarser maps are asked as well: those at a half and a quarter of the grid."""
_BLIND = 2
"""The coarsest maps are never asked: they see too little of where things are. Source: nnU-Net."""


class PointOutputs(nn.Module):
    """A linear map of the features of every point, brought to the grid of the view where they are coarser.

    Args:
        dim: Axes of the grid.
        channels: Features of each map, finest first.
        strides: Points of the grid per point of each map, along each axis.
        start: Where the outputs begin.
    """

    def __init__(
        self, dim: int, channels: Sequence[int], strides: Sequence[tuple[int, ...]], start: Sequence[float]
    ) -> None:
        super().__init__()
        self.step = strides[0]
        coarser = max(0, min(_COARSER, len(channels) - 1 - _BLIND)) if max(self.step) == 1 else 0
        self.each = nn.ModuleList(point_layer(dim, width, start) for width in channels[: 1 + coarser])

    def forward(self, maps: Sequence[Float[Tensor, "batch _ ..."]]) -> Float[Tensor, "batch out *grid"]:
        """The finest output; while training those of coarser maps behind it, each repeated over blocks of points."""
        finest = enlarged(self.each[0](maps[0]), self.step)
        if not self.training or len(self.each) == 1:
            return finest
        coarse = [layer(one).float() for layer, one in zip(list(self.each)[1:], maps[1:], strict=False)]
        return torch.cat([finest.float(), *(F.interpolate(one, size=finest.shape[2:]) for one in coarse)], dim=1)


def point_layer(dim: int, width: int, start: Sequence[float]) -> nn.Module:
    """A linear map of the features of every point, whose outputs begin at ``start``."""
    layer = (nn.Conv3d if dim == 3 else nn.Conv2d)(width, len(start), 1)
    nn.init.normal_(layer.weight, std=0.01)
    layer.bias = nn.Parameter(torch.tensor(list(start), dtype=torch.float32))
    return layer
