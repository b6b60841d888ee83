"""Two maps by which cells are told apart: the chance that a point belongs to a cell, and how near it is to its middle.

Source: distances as a second map beside the foreground, Naylor P et al. IEEE Transactions on Medical Imaging
2019;38:448-459; scaled to 1 in the middle of every cell so that small cells have peaks too.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.geometry import Lattice, overlap
from polyclinic.layers.maps.moved import enlarged

_HEIGHT_WEIGHT = 2.0  # the height is what parts touching cells; a round number
_SMOOTH = 1.0  # keeps the overlap defined without cells
_UM_PER_MM = 1000.0  # micrometres in a millimetre


class CellMaps(nn.Module):
    """Two numbers for every point, from the finest features.

    Args:
        channels: Of the finest map.
        stride: Points of the grid per point of that map, along each axis.
    """

    def __init__(self, channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = tuple(int(step) for step in stride)
        self.out = nn.Conv2d(channels, 2, 1)
        nn.init.normal_(self.out.weight, std=channels**-0.5)
        assert self.out.bias is not None
        nn.init.constant_(self.out.bias, -1.0)  # most points of a picture belong to no cell

    def forward(self, finest: Float[Tensor, "batch channel high wide"]) -> Float[Tensor, "batch 2 row column"]:
        """Foreground and height, before the sigmoid."""
        return enlarged(self.out(finest), self.stride)


def maps_loss(
    output: Float[Tensor, "batch 2 row column"],
    foreground: Float[Tensor, "batch row column"],
    height: Float[Tensor, "batch row column"],
    counts: Float[Tensor, "batch row column"],
) -> Float[Tensor, " batch"]:
    """Cross-entropy and soft Dice of the foreground, cross-entropy of the height; points with a count of 0 left out.

    Source: soft Dice, Milletari F et al. 3DV 2016, summed with cross-entropy as in Isensee F et al. Nature Methods
    2021;18:203-211.
    """
    logits = output.float()
    number = counts.sum(dim=(1, 2)).clamp(min=1.0)
    cross = F.binary_cross_entropy_with_logits(logits[:, 0], foreground, reduction="none")
    steep = F.binary_cross_entropy_with_logits(logits[:, 1], height, reduction="none")
    points = ((cross + _HEIGHT_WEIGHT * steep) * counts).sum(dim=(1, 2)) / number
    chance = logits[:, 0].sigmoid() * counts
    shared = (chance * foreground).sum(dim=(1, 2))
    either = chance.sum(dim=(1, 2)) + (foreground * counts).sum(dim=(1, 2))
    return points + 1 - (2 * shared + _SMOOTH) / (either + _SMOOTH)


def cut_maps(
    maps: UInt8[np.ndarray, "channels rows columns"], start: Int[np.ndarray, " axis"], cut: Sequence[int]
) -> Float[np.ndarray, "3 row column"]:
    """Foreground, height, and whether a point counts; 0 beyond the picture, and all over where there is no truth."""
    result = np.zeros((3, *cut), dtype=np.float32)
    if maps.size:
        here, there = overlap(start.tolist(), cut, maps.shape[1:])
        result[(slice(0, 2), *here)] = maps[(slice(None), *there)] / np.float32(255)
        result[2][here] = 1.0
    return result


def spacing_um(place: Lattice, pixel_um: float | str | None) -> tuple[float, float] | None:
    """Length of a step of the file along each axis, as the user says or else as the file does.

    Where the user names a column instead, it is not known here.
    """
    if isinstance(pixel_um, float):
        return pixel_um, pixel_um
    source = place.source
    if source.spacing is None or source.unit == "px":
        return None
    scale = _UM_PER_MM if source.unit == "mm" else 1.0
    return float(source.spacing[0]) * scale, float(source.spacing[1]) * scale
