"""A truth on a grid, cut and moved exactly as the view of a record was; an answer brought to that grid."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def moved(
    boxes: Float[Tensor, "batch channel *cut"], affine: Float[Tensor, "batch dim _"] | None, size: Sequence[int]
) -> Float[Tensor, "batch channel *size"]:
    """Boxes interpolated as the views were; 0 beyond them.

    Args:
        boxes: The truth in the cut of each view.
        affine: View -> cut; None when nothing moved.
        size: Extent of the views.
    """
    if affine is None:
        return boxes
    grid = F.affine_grid(affine.to(boxes), [len(boxes), 1, *size], align_corners=False)
    return F.grid_sample(boxes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def enlarged(maps: Float[Tensor, "batch channel *coarse"], step: Sequence[int]) -> Float[Tensor, "batch channel *grid"]:
    """Maps brought to the grid of the view, of which they have one point for ``step`` along each axis."""
    if max(step) == 1:
        return maps
    mode, factor = "trilinear" if maps.ndim == 5 else "bilinear", tuple(float(one) for one in step)
    return F.interpolate(maps.float(), scale_factor=factor, mode=mode, align_corners=False)
