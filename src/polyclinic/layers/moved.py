"""A truth on a grid, cut and moved exactly as the view of a record was."""

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
