"""Which image network to build: one of ours in four sizes, or one as large as given public weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Shaped
from torch import Tensor

from polyclinic.layers.pictures.backbone import Backbone
from polyclinic.layers.pictures.convnext import ConvNeXt
from polyclinic.layers.pictures.densenet import DenseNet
from polyclinic.layers.pictures.resnet import BasicBlock, Bottleneck, ResNet
from polyclinic.layers.pictures.vit import ViT

Architecture = Literal["resnet18", "resnet34", "resnet50", "densenet121", "convnext", "vit"]

SMALL = 64
"""Images up to this many pixels on the shorter side get a stem that keeps them at full size."""

_RESNETS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
_DENSENET = (6, 12, 24, 16)  # that of 121 layers, as in the paper
_HEAD = 64  # features of a head, as in the public weights
_SMALL_HEAD = 32  # where the token is too narrow for two heads of the usual width
_LAYERS = ("blocks.", "encoder.layers.encoder_layer_")
"""How the layers of a ViT are named in public weights: by the authors, by torchvision."""


@dataclass(frozen=True)
class Blueprint:
    """All that is needed to build a network; numbers only, so that it can be kept beside the weights.

    Attributes:
        architecture: Which family.
        channels: Channels of the images.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        base: Channels of the first stage, growth (DenseNet) or width of a token (ViT).
        depths: Blocks in each stage; for ViT the number of layers.
        stem: Width of the first convolution, or of a patch.
        stride: Step of the first convolution.
        shrink: Whether a max-pool follows it.
    """

    architecture: Architecture
    channels: int
    height: int
    width: int
    base: int
    depths: tuple[int, ...]
    stem: int
    stride: int
    shrink: bool


def scratch(architecture: Architecture, channels: int, extent: tuple[int, int], step: int) -> Blueprint:
    """A network to train from random weights.

    Args:
        architecture: Which family.
        channels: Channels of the images.
        extent: Height and width of the images in pixels.
        step: Size from 0 (tiny) to 3 (large).
    """
    small = min(extent) <= SMALL
    if architecture == "vit":
        patch = max(2, min(extent) // 8) if small else 16
        base, depth = ((64, 4), (96, 6), (192, 8), (384, 12))[step]
        return Blueprint(architecture, channels, *extent, base, (depth,), patch, patch, False)
    if architecture == "convnext":
        base = (16, 32, 64, 96)[step]
        depths = ((1, 1, 3, 1), (2, 2, 4, 2), (3, 3, 9, 3), (3, 3, 9, 3))[step]
        patch = 2 if small else 4
        return Blueprint(architecture, channels, *extent, base, depths, patch, patch, False)
    stem, stride = (3, 1) if small else (7, 2)
    if architecture == "densenet121":
        growth = (4, 8, 16, 32)[step]
        return Blueprint(architecture, channels, *extent, growth, _DENSENET, stem, stride, not small)
    base = (8, 16, 32, 64)[step]
    return Blueprint(architecture, channels, *extent, base, _RESNETS[architecture], stem, stride, not small)


def public(
    architecture: Architecture, channels: int, extent: tuple[int, int], state: Mapping[str, Shaped[Tensor, "..."]]
) -> Blueprint:
    """A network that fits public weights, as large as they are. Small images keep the stem but not its stride."""
    small = min(extent) <= SMALL
    if architecture == "vit":
        names = ("conv_proj.weight", "patch_embed.proj.weight")
        shapes = [tuple(state[name].shape) for name in names if name in state] or [(192, 3, 16, 16)]
        named = [name for name in state if name.startswith(_LAYERS)]
        layers = {name.split(".")[1 if name.startswith("blocks.") else 2] for name in named}
        return Blueprint(architecture, channels, *extent, shapes[0][0], (len(layers),), shapes[0][3], 0, False)
    if architecture == "convnext":
        names = ("features.0.0.weight", "downsample_layers.0.0.weight")
        bases = [len(state[name]) for name in names if name in state] or [96]
        deep = any(name.startswith(("features.5.26.", "stages.2.26.")) for name in state)
        return Blueprint(architecture, channels, *extent, bases[0], (3, 3, 27 if deep else 9, 3), 4, 4, False)
    depths, base = (_DENSENET, 32) if architecture == "densenet121" else (_RESNETS[architecture], 64)
    return Blueprint(architecture, channels, *extent, base, depths, 7, 1 if small else 2, not small)


def build(plan: Blueprint) -> Backbone:
    """The network of a blueprint, with random weights."""
    stem = (plan.stem, plan.stride, plan.shrink)
    if plan.architecture == "vit":
        heads = plan.base // (_HEAD if plan.base % _HEAD == 0 and plan.base > _HEAD else _SMALL_HEAD)
        return ViT(plan.depths[0], plan.base, heads, plan.channels, plan.stem, (plan.height, plan.width))
    if plan.architecture == "convnext":
        return ConvNeXt(plan.depths, plan.base, plan.channels, plan.stem)
    if plan.architecture == "densenet121":
        return DenseNet(plan.depths, plan.base, plan.channels, *stem)
    block = Bottleneck if plan.architecture == "resnet50" else BasicBlock
    return ResNet(block, plan.depths, plan.base, plan.channels, *stem)
