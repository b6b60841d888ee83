"""What turns what a network knows of a patient into the numbers of a question."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.tensors import Fused


class Readout(nn.Module):
    """A linear map from the summary of each member to ``out`` numbers; what most heads need.

    Args:
        start: Where the outputs begin, such as the log odds among training rows: training need not find them.
        members: Sets of weights; 1 = one set for whichever members come.
    """

    def __init__(self, width: int, start: Float[np.ndarray, " out"], members: int = 1) -> None:
        super().__init__()
        bound = width**-0.5
        self.weight = nn.Parameter(torch.empty(members, width, len(start)).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.as_tensor(start, dtype=torch.float32).repeat(members, 1))

    def forward(self, fused: Fused) -> Float[Tensor, "batch member out"]:
        """What every encoder together knows, to outputs."""
        weight = self.weight.expand(fused.summary.shape[1], -1, -1)
        return torch.einsum("bmw,mwo->bmo", fused.summary, weight) + self.bias


class OnMaps(nn.Module):
    """A module that reads maps of the input that a question is asked on.

    Args:
        on: Name of the input.
        name: What the module is called in the weights of a bundle.
        level: Number of the map that it reads; None = all of them together.
    """

    def __init__(self, on: str, name: str, module: nn.Module, level: int | None = 0) -> None:
        super().__init__()
        self.on, self.name, self.level = on, name, level
        self.add_module(name, module)

    def forward(self, fused: Fused) -> Float[Tensor, "batch out *grid"]:
        """The maps to one output for each point, or each token."""
        maps = fused.inputs[self.on].maps
        out: Tensor = getattr(self, self.name)(maps if self.level is None else maps[self.level])
        return out
