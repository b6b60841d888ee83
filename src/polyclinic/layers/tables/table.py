"""A row of a table to vectors: pieced numbers, categories, an ensemble inside one network, a linear path beside it.

Source: Gorishniy, Kotelnikov & Babenko, TabM, ICLR 2025 (the ensemble; package ``tabm``); Gorishniy, Rubachev &
Babenko, On embeddings for numerical features, NeurIPS 2022, eq. 1 (the numbers; package ``rtdl_num_embeddings``).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from rtdl_num_embeddings import PiecewiseLinearEmbeddings
from tabm import EnsembleView, LinearEnsemble, make_tabm_backbone
from torch import Tensor, nn

_MANY_WIDTH = 16  # numbers for each level of a category of many levels; a round number
_MANY_SPREAD = 0.1  # levels begin nearly alike, so that a rare one says little; a round number


Numbers = Float[Tensor, "batch number"]
Missing = Bool[Tensor, "batch number"]
Few = Int[Tensor, "batch few"]
Many = Int[Tensor, "batch many"]
Vectors = Float[Tensor, "batch member width"]


@dataclass(frozen=True)
class Columns:
    """What the columns of a table look like.

    Attributes:
        edges: Edges of the pieces of each number, ascending, at least two.
        absent: Positions of the numbers that may be missing: each gets an indicator.
        few: Levels of each category with few of them, which becomes zeros and ones.
        many: Levels of each category with many of them, which is embedded.
    """

    edges: tuple[tuple[float, ...], ...]
    absent: tuple[int, ...]
    few: tuple[int, ...]
    many: tuple[int, ...]

    @property
    def plain(self) -> int:
        """Numbers that a row holds before anything is embedded."""
        return len(self.edges) + len(self.absent) + sum(self.few)


@dataclass(frozen=True)
class TableShape:
    """How large the network is.

    Attributes:
        members: Networks of the ensemble; 0 = the linear path alone.
        blocks: Layers of each.
        block_width: Units of each layer.
        number_width: Numbers that stand for one number.
        dropout: Share of units left out while training.
    """

    members: int
    blocks: int
    block_width: int
    number_width: int
    dropout: float


class TableNetwork(nn.Module):
    """Rows of a table to one vector per member of the ensemble.

    Each vector is a linear function of the row, the same for every member, plus what the member's own network adds.
    With few patients and a nearly linear outcome the linear path is most of the answer.
    """

    def __init__(self, columns: Columns, width: int, shape: TableShape) -> None:
        super().__init__()
        self.columns = columns
        self.absent = list(columns.absent)
        self.linear = nn.Linear(max(columns.plain, 1), width)
        self.linear_many = _lookup(sum(columns.many), width) if columns.many else None
        self.ensemble = _Ensemble(columns, width, shape) if shape.members else None

    def forward(self, numbers: Numbers, missing: Missing, few: Few, many: Many) -> Vectors:
        """Scaled numbers (anything where missing) and codes to vectors.

        Codes count through the levels of all categories of their sort; the one beyond the last says nothing.
        """
        numbers = numbers.masked_fill(missing, 0.0)
        marks = torch.cat([missing[:, self.absent].to(numbers.dtype), self._ones(few, numbers)], dim=1)
        plain = torch.cat([numbers, marks], dim=1)
        vector: Tensor = self.linear(plain if self.columns.plain else plain.new_zeros(len(plain), 1))
        if self.linear_many is not None:
            vector = vector + self.linear_many(many).sum(1)
        if self.ensemble is None:
            return vector[:, None]
        added: Tensor = self.ensemble(numbers, missing, marks, many)
        return vector[:, None] + added

    def _ones(self, few: Few, like: Tensor) -> Float[Tensor, "batch level"]:
        total = sum(self.columns.few)
        blank = torch.zeros(len(few), total + 1, device=like.device, dtype=like.dtype)
        return blank.scatter(1, few, 1.0)[:, :total]


class _Ensemble(nn.Module):
    """TabM on embedded columns; each member has its own last layer."""

    def __init__(self, columns: Columns, width: int, shape: TableShape) -> None:
        super().__init__()
        chunks = [shape.number_width] * len(columns.edges) + [1] * len(columns.absent)
        chunks += [*columns.few, *[_MANY_WIDTH] * len(columns.many)]
        self.pieces = _pieces(columns.edges, shape.number_width) if columns.edges else None
        self.lookup = _lookup(sum(columns.many), _MANY_WIDTH) if columns.many else None
        self.view = EnsembleView(k=shape.members)
        self.backbone = make_tabm_backbone(
            d_in=sum(chunks),
            n_blocks=shape.blocks,
            d_block=shape.block_width,
            dropout=shape.dropout,
            k=shape.members,
            start_scaling_init="normal" if columns.edges else "random-signs",
            start_scaling_init_chunks=chunks,
        )
        self.last = LinearEnsemble(shape.block_width, width, k=shape.members)

    def forward(self, numbers: Numbers, missing: Missing, marks: Float[Tensor, "batch mark"], many: Many) -> Vectors:
        parts = [marks]
        if self.pieces is not None:
            parts.insert(0, self.pieces(numbers).masked_fill(missing[..., None], 0.0).flatten(1))
        if self.lookup is not None:
            parts.append(self.lookup(many).flatten(1))
        out: Tensor = self.last(self.backbone(self.view(torch.cat(parts, dim=1))))
        return out


def _pieces(edges: tuple[tuple[float, ...], ...], width: int) -> nn.Module:
    module: nn.Module = PiecewiseLinearEmbeddings(
        [torch.tensor(each) for each in edges], width, activation=False, version="B"
    )
    return module


def _lookup(levels: int, width: int) -> nn.Embedding:
    """One vector per level, small at first, and zeros for the code that says nothing."""
    table = nn.Embedding(levels + 1, width, padding_idx=levels)
    with torch.no_grad():
        table.weight.mul_(_MANY_SPREAD)
    return table
