"""A residual network for whole volumes (or pictures): the way down of a residual U-Net, normed over the batch.

Source: He, Zhang, Ren & Sun, CVPR 2016; the step by averaging on the way around: He et al., CVPR 2019 ("bag of
tricks"), figure 2 c.
"""

from jaxtyping import Float
from torch import Tensor

from polyclinic.layers.maps.unet import ResidualDescent, Stages, init_residual
from polyclinic.tensors import FeatureMaps


class ResidualTower(ResidualDescent):
    """Residual stages, each on a coarser grid with more features, and their mean over the grid.

    Args:
        stages: Its shape; any extent will do.
    """

    def __init__(self, stages: Stages) -> None:
        super().__init__(stages, alone=False)
        init_residual(self)

    def forward(self, grid: Float[Tensor, "batch channel *grid"]) -> FeatureMaps:
        """A grid to one map per stage, finest first."""
        maps = self.descend(grid)
        return FeatureMaps(tuple(maps), maps[-1].flatten(2).mean(2))
