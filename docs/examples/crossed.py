"""A network for tables that multiplies columns with one another: ``encoder = "crossed"`` under a tabular input.

Source: Wang et al., DCN V2: improved deep and cross network, WWW 2021, eq. 1.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from polyclinic.layers.tables.table import Columns
from polyclinic.study.schema import Size

_LEVEL_WIDTH = 8  # numbers that stand for a level of a category; a round number
_LAYERS = {Size.TINY: 1, Size.SMALL: 2, Size.MEDIUM: 3, Size.LARGE: 4}


class Crossed(nn.Module):
    """A vector for each row of a table: after each layer, products of one more column.

    Args:
        columns: What the columns look like.
        width: Numbers of the vector.
        size: The one dial of the study.
    """

    def __init__(self, columns: Columns, width: int, size: Size) -> None:
        super().__init__()
        # The code beyond the last level says that nothing is known.
        self.few = nn.Embedding(sum(columns.few) + 1, _LEVEL_WIDTH)
        self.many = nn.Embedding(sum(columns.many) + 1, _LEVEL_WIDTH)
        categories = len(columns.few) + len(columns.many)
        row = 2 * len(columns.edges) + _LEVEL_WIDTH * categories
        self.layers = nn.ModuleList(nn.Linear(row, row) for _ in range(_LAYERS[size]))
        self.out = nn.Linear(row, width)

    def forward(
        self,
        numbers: Float[Tensor, "batch number"],
        missing: Bool[Tensor, "batch number"],
        few: Int[Tensor, "batch few"],
        many: Int[Tensor, "batch many"],
    ) -> Float[Tensor, "batch width"]:
        """A vector for each row, from scaled numbers (0 where missing), which are missing, and codes of categories."""
        row = torch.cat(
            [numbers, missing.to(numbers.dtype), self.few(few).flatten(1), self.many(many).flatten(1)], dim=1
        )
        crossed = row
        for layer in self.layers:
            crossed = row * layer(crossed) + crossed
        vectors: Float[Tensor, "batch width"] = self.out(crossed)
        return vectors
