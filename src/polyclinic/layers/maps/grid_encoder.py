"""The encoder of whatever lies on a grid: a network for pictures or scans, and a layer to the width of tokens."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from polyclinic.layers.maps.tower import ResidualTower
from polyclinic.layers.maps.unet import ResidualUNet
from polyclinic.layers.pictures.backbone import Backbone
from polyclinic.tensors import CONVOLUTIONS, Encoded, Encoder, GridTensors, Hints


class GridEncoder(Encoder):
    """Network, dropout, and a layer to the common width of tokens."""

    def __init__(
        self, network: Backbone | ResidualUNet | ResidualTower, width: int, dropout: float, hints: Hints = CONVOLUTIONS
    ) -> None:
        super().__init__()
        self.hints = hints
        self.network = network
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(network.width, width)

    def forward(self, tensors: GridTensors) -> Encoded:
        """Values to one token for each record, and feature maps."""
        present = tensors.present
        # An absent record is the same everywhere: while training it must not enter the batch statistics of the
        # others. The U-Net has none.
        if self.training and not isinstance(self.network, ResidualUNet) and not bool(present.all()):
            return self._some(tensors.values, present)
        seen = self.network(tensors.values)
        return Encoded(self.out(self.drop(seen.pooled))[:, None], present[:, None], seen.maps)

    def _some(self, values: Float[Tensor, "batch channel *grid"], present: Bool[Tensor, " batch"]) -> Encoded:
        rows = present.nonzero()[:, 0]
        tokens = values.new_zeros(len(values), self.out.out_features)
        if len(rows) == 0:
            return Encoded(tokens[:, None], present[:, None])
        seen = self.network(values[rows])
        some = self.out(self.drop(seen.pooled))
        tokens = tokens.to(some.dtype).index_copy(0, rows, some)
        maps = tuple(one.new_zeros(len(values), *one.shape[1:]).index_copy(0, rows, one) for one in seen.maps)
        return Encoded(tokens[:, None], present[:, None], maps)
