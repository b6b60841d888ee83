"""What every image network gives, and how its weights take their public names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.tensors import FeatureMaps


class Backbone(nn.Module, ABC):
    """An image network without classifier, with the parameter names of its public weights.

    Attributes:
        width: Length of the pooled vector.
    """

    FIRST: ClassVar[str]
    """Name of the weights that touch the pixels: summed or repeated when the number of channels differs."""
    CLASSIFIER: ClassVar[tuple[str, ...]]
    """How the names of the classifier begin, which is dropped."""
    width: int

    @abstractmethod
    def forward(self, pixels: Float[Tensor, "batch channel height wide"]) -> FeatureMaps:
        """Pixels to feature maps."""

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Public weights under our names; other spellings of the same network are translated here."""
        return dict(state)


def pool(features: Float[Tensor, "batch width height wide"]) -> Float[Tensor, "batch width"]:
    """Mean over all pixels."""
    return features.mean(dim=(2, 3))


def init_convolutions(network: nn.Module) -> None:
    """Draw the weights of convolutions so that signals neither grow nor fade. Source: He et al., ICCV 2015, eq. 10."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
