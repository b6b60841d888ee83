"""Residual networks of 18, 34 and 50 layers, any width, with a stem for small images.

Source: He, Zhang, Ren & Sun, Deep residual learning, CVPR 2016, table 1 (and section 4.2 for the small-image stem);
stride in the 3x3 convolution and names of parameters as in the public weights.
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from polyclinic.layers.pictures.backbone import Backbone, init_convolutions, pool
from polyclinic.tensors import FeatureMaps


def _convolution(inside: int, outside: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)


class _StridedPointwise(nn.Conv2d):
    """A 1x1 convolution with a stride: skip the pixels first, then multiply. The same function, the same weights.

    Written out because oneDNN's bfloat16 kernel for the strided form writes past its buffer in the backward pass
    (seen with torch 2.13 on AVX512-BF16 processors without AMX, fewer than 16 channels, channels-last).
    """

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        height, width = self.stride
        return functional.conv2d(x[:, :, ::height, ::width], self.weight, self.bias)


def _shortcut(inside: int, outside: int, stride: int) -> nn.Module | None:
    if stride == 1 and inside == outside:
        return None
    return nn.Sequential(_StridedPointwise(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a way around them."""

    EXPANSION: ClassVar[int] = 1

    def __init__(self, inside: int, base: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(inside, base, 3, stride), nn.BatchNorm2d(base)
        self.conv2, self.bn2 = _convolution(base, base, 3), nn.BatchNorm2d(base)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inside, base, stride)

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        """Features to features, of half the size where the stride is 2."""
        around = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        sum_: Tensor = self.relu(self.bn2(self.conv2(x)) + around)
        return sum_


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 convolutions, and a way around them."""

    EXPANSION: ClassVar[int] = 4

    def __init__(self, inside: int, base: int, stride: int) -> None:
        super().__init__()
        outside = base * self.EXPANSION
        self.conv1, self.bn1 = _convolution(inside, base, 1), nn.BatchNorm2d(base)
        self.conv2, self.bn2 = _convolution(base, base, 3, stride), nn.BatchNorm2d(base)
        self.conv3, self.bn3 = _convolution(base, outside, 1), nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inside, outside, stride)

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        """Features to features, of half the size where the stride is 2."""
        around = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        sum_: Tensor = self.relu(self.bn3(self.conv3(x)) + around)
        return sum_


class ResNet(Backbone):
    """Four stages of residual blocks; each stage halves the image and doubles the channels.

    Args:
        block: ``BasicBlock`` (18, 34 layers) or ``Bottleneck`` (50).
        depths: Blocks in each stage.
        base: Channels of the first stage; 64 in the public weights.
        channels: Channels of the images.
        kernel: Width of the first convolution: 7 in the public weights, 3 for small images.
        stride: Step of the first convolution: 2 in the public network, 1 for small images.
        shrink: Whether a max-pool follows the first convolution, as in the public network.
    """

    FIRST = "conv1.weight"
    CLASSIFIER = ("fc.",)

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, ...],
        base: int,
        channels: int,
        kernel: int = 7,
        stride: int = 2,
        shrink: bool = True,
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(channels, base, kernel, stride), nn.BatchNorm2d(base)
        self.relu = nn.ReLU(inplace=True)
        self.shrink = nn.MaxPool2d(3, 2, 1) if shrink else nn.Identity()
        inside = base
        for stage, depth in enumerate(depths):
            outside = base * 2**stage
            first = block(inside, outside, 1 if stage == 0 else 2)
            inside = outside * block.EXPANSION
            rest = [block(inside, outside, 1) for _ in range(depth - 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, *rest))
        self.stages = len(depths)
        self.width = inside
        init_convolutions(self)

    def forward(self, pixels: Float[Tensor, "batch channel height wide"]) -> FeatureMaps:
        """Pixels to one feature map per stage."""
        x = self.shrink(self.relu(self.bn1(self.conv1(pixels))))
        maps = []
        for stage in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            maps.append(x)
        return FeatureMaps(tuple(maps), pool(x))
