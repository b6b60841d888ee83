"""A residual network for whole volumes (or pictures): the way down of a residual U-Net, normed over the batch.

Source: He, Zhang, Ren & Sun, CVPR 2016; the step by averaging on the way around: He et al., CVPR 2019 ("bag of
tricks"), figure 2 c.
"""

from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.layers.maps.unet import Convolved, Seen, Stages, init_residual, residual_stage


class ResidualTower(nn.Module):
    """Residual stages, each on a coarser grid with more features, and their mean over the grid.

    Args:
        stages: Its shape; any extent will do.
    """

    def __init__(self, stages: Stages) -> None:
        super().__init__()
        widths, kernels, strides = stages.widths, stages.kernels, stages.strides
        self.stem = Convolved(stages.channels, widths[0], kernels[0], strides[0], alone=False)
        self.down = nn.ModuleList(
            residual_stage(
                widths[max(0, n - 1)],
                widths[n],
                kernels[n],
                strides[n] if n else (1,) * stages.dim,
                stages.blocks[n],
                alone=False,
            )
            for n in range(len(widths))
        )
        self.width = widths[-1]
        init_residual(self)

    def forward(self, grid: Float[Tensor, "batch channel *grid"]) -> Seen:
        """A grid to one map per stage, finest first."""
        x, maps = self.stem(grid), []
        for stage in self.down:
            x = stage(x)
            maps.append(x)
        return Seen(tuple(maps), x.flatten(2).mean(2))
