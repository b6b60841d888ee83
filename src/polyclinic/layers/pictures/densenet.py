"""The densely connected network of 121 layers, much used for chest radiographs, any width, also for small images.

Source: Huang, Liu, van der Maaten & Weinberger, Densely connected convolutional networks, CVPR 2017, table 1; names of
parameters as in the public weights, in both their spellings.
"""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.layers.pictures.backbone import Backbone, init_convolutions, pool
from polyclinic.tensors import FeatureMaps

_SQUEEZE = 4  # as in the paper: the 1x1 convolution gives four times the growth
_OLD_SPELLING = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..+)")


class DenseLayer(nn.Module):
    """A 1x1 and a 3x3 convolution whose few new channels are set beside all that came before."""

    def __init__(self, inside: int, growth: int) -> None:
        super().__init__()
        middle = _SQUEEZE * growth
        self.norm1, self.conv1 = nn.BatchNorm2d(inside), nn.Conv2d(inside, middle, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(middle), nn.Conv2d(middle, growth, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Float[Tensor, "batch _ height wide"]) -> Float[Tensor, "batch _ height wide"]:
        """Features to the same features and ``growth`` more."""
        new = self.conv1(self.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(self.relu(self.norm2(new)))], dim=1)


def _transition(inside: int) -> nn.Module:
    """Half the channels, half the size."""
    layers = nn.Sequential()
    layers.add_module("norm", nn.BatchNorm2d(inside))
    layers.add_module("relu", nn.ReLU(inplace=True))
    layers.add_module("conv", nn.Conv2d(inside, inside // 2, 1, bias=False))
    layers.add_module("pool", nn.AvgPool2d(2, 2))
    return layers


def _dense_block(inside: int, growth: int, depth: int) -> nn.Sequential:
    block = nn.Sequential()
    for number in range(depth):
        block.add_module(f"denselayer{number + 1}", DenseLayer(inside + number * growth, growth))
    return block


class DenseNet(Backbone):
    """Dense blocks with transitions between them.

    Args:
        depths: Layers in each block; (6, 12, 24, 16) for 121.
        growth: Channels that each layer adds; 32 in the public weights.
        channels: Channels of the images.
        kernel: Width of the first convolution: 7 in the public weights, 3 for small images.
        stride: Step of the first convolution: 2 in the public network, 1 for small images.
        shrink: Whether a max-pool follows the first convolution, as in the public network.
    """

    FIRST = "features.conv0.weight"
    CLASSIFIER = ("classifier.",)

    def __init__(
        self, depths: tuple[int, ...], growth: int, channels: int, kernel: int = 7, stride: int = 2, shrink: bool = True
    ) -> None:
        super().__init__()
        inside = 2 * growth
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(channels, inside, kernel, stride, kernel // 2, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(inside))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1) if shrink else nn.Identity())
        for number, depth in enumerate(depths, start=1):
            self.features.add_module(f"denseblock{number}", _dense_block(inside, growth, depth))
            inside += depth * growth
            if number < len(depths):
                self.features.add_module(f"transition{number}", _transition(inside))
                inside //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(inside))
        self.width = inside
        init_convolutions(self)

    def forward(self, pixels: Float[Tensor, "batch channel height wide"]) -> FeatureMaps:
        """Pixels to one feature map per block."""
        x, maps = pixels, []
        for name, layer in self.features.named_children():
            x = layer(x)
            if name.startswith("denseblock"):
                maps.append(x)
        maps[-1] = torch.relu(x)
        return FeatureMaps(tuple(maps), pool(maps[-1]))

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The public file says ``norm.1`` where the network says ``norm1``."""
        return {_OLD_SPELLING.sub(r"\1\2", name): value for name, value in state.items()}
