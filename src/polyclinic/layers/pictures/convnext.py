"""A convolutional network with large depth-wise kernels, built like a transformer; several sizes.

Source: Liu et al., A ConvNet for the 2020s, CVPR 2022, section 2 and appendix A; names of parameters as in
torchvision's public weights, with those of the authors translated.
"""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.layers.pictures.backbone import Backbone, pool
from polyclinic.tensors import FeatureMaps

_EPSILON = 1e-6  # as in the public weights
_WIDEN = 4  # as in the paper
_SCALE = 0.1
"""How much a block changes at first. The paper starts from 1e-6, which a short training never leaves."""

_AUTHORS = (
    (r"^downsample_layers\.0\.(\d)\.", lambda m: f"features.0.{m[1]}."),
    (r"^downsample_layers\.(\d)\.(\d)\.", lambda m: f"features.{2 * int(m[1])}.{m[2]}."),
    (r"^stages\.(\d)\.(\d+)\.gamma$", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.layer_scale"),
    (r"^stages\.(\d)\.(\d+)\.dwconv\.", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.block.0."),
    (r"^stages\.(\d)\.(\d+)\.norm\.", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.block.2."),
    (r"^stages\.(\d)\.(\d+)\.pwconv1\.", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.block.3."),
    (r"^stages\.(\d)\.(\d+)\.pwconv2\.", lambda m: f"features.{2 * int(m[1]) + 1}.{m[2]}.block.5."),
    (r"^norm\.", lambda _: "classifier.0."),
)
"""How the authors' names become torchvision's."""


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel."""

    def forward(self, x: Float[Tensor, "batch channel height wide"]) -> Float[Tensor, "batch channel height wide"]:
        """Features to features of mean 0 and variance 1 over channels, then scaled."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Permute(nn.Module):
    """Axes in another order; a module of its own only because the public names count it."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Float[Tensor, "_ _ _ _"]) -> Float[Tensor, "_ _ _ _"]:
        """The same numbers, axes reordered."""
        return x.permute(self.order)


class Block(nn.Module):
    """A 7x7 depth-wise convolution, then a small network on each pixel, and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 7, padding=3, groups=width),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(width, eps=_EPSILON),
            nn.Linear(width, _WIDEN * width),
            nn.GELU(),
            nn.Linear(_WIDEN * width, width),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), _SCALE))

    def forward(self, x: Float[Tensor, "batch width height wide"]) -> Float[Tensor, "batch width height wide"]:
        """Features to features of the same shape."""
        change: Tensor = self.layer_scale * self.block(x)
        return x + change


class ConvNeXt(Backbone):
    """Four stages of blocks; each stage halves the image and doubles the channels.

    Args:
        depths: Blocks in each stage; (3, 3, 9, 3) for "tiny".
        base: Channels of the first stage; 96 for "tiny".
        channels: Channels of the images.
        patch: Width and step of the first convolution: 4 in the public weights, 2 for small images.
    """

    FIRST = "features.0.0.weight"
    CLASSIFIER = ("classifier.2.", "head.")

    def __init__(self, depths: tuple[int, ...], base: int, channels: int, patch: int = 4) -> None:
        super().__init__()
        stages: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(channels, base, patch, patch), ChannelNorm(base, eps=_EPSILON))
        ]
        for stage, depth in enumerate(depths):
            width = base * 2**stage
            if stage > 0:
                halve = nn.Conv2d(width // 2, width, 2, 2)
                stages.append(nn.Sequential(ChannelNorm(width // 2, eps=_EPSILON), halve))
            stages.append(nn.Sequential(*(Block(width) for _ in range(depth))))
        self.features = nn.Sequential(*stages)
        self.width = base * 2 ** (len(depths) - 1)
        self.classifier = nn.Sequential(ChannelNorm(self.width, eps=_EPSILON))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, pixels: Float[Tensor, "batch channel height wide"]) -> FeatureMaps:
        """Pixels to one feature map per stage."""
        x, maps = pixels, []
        for number, layer in enumerate(self.features):
            x = layer(_at_least_two(x) if number > 0 and number % 2 == 0 else x)
            if number % 2 == 1:
                maps.append(x)
        pooled = self.classifier(pool(x)[:, :, None, None])[:, :, 0, 0]
        return FeatureMaps(tuple(maps), pooled)

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The authors' names become torchvision's, and their scale gets the shape it has here."""
        renamed = {}
        for name, value in state.items():
            for pattern, new in _AUTHORS:
                name = re.sub(pattern, new, name)
            renamed[name] = value[:, None, None] if name.endswith("layer_scale") and value.ndim == 1 else value
        return renamed


def _at_least_two(x: Float[Tensor, "batch width _ _"]) -> Float[Tensor, "batch width _ _"]:
    """A last row or column of a map too small to be halved is repeated."""
    tall, wide = max(0, 2 - x.shape[2]), max(0, 2 - x.shape[3])
    return nn.functional.pad(x, (0, wide, 0, tall), mode="replicate") if tall or wide else x
