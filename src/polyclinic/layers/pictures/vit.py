"""A vision transformer: the image in patches, each patch attending to all others; several sizes.

Source: Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, equations 1-4; names of parameters as in
torchvision's public weights, with those of DeiT (Touvron et al., ICML 2021) and timm translated.
"""

import re
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.layers.pictures.backbone import Backbone
from polyclinic.tensors import FeatureMaps

_EPSILON = 1e-6  # as in the public weights
_WIDEN = 4  # as in the paper
_LAYER = "encoder.layers.encoder_layer_"
_DEIT = (
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "encoder.pos_embedding"),
    (r"^patch_embed\.proj\.", "conv_proj."),
    (r"^norm\.", "encoder.ln."),
    (r"^blocks\.(\d+)\.norm([12])\.", rf"{_LAYER}\1.ln_\2."),
    (r"^blocks\.(\d+)\.attn\.qkv\.", rf"{_LAYER}\1.self_attention.in_proj_"),
    (r"^blocks\.(\d+)\.attn\.proj\.", rf"{_LAYER}\1.self_attention.out_proj."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", rf"{_LAYER}\1.mlp.0."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", rf"{_LAYER}\1.mlp.3."),
    (r"(\.mlp)\.linear_1\.", r"\1.0."),
    (r"(\.mlp)\.linear_2\.", r"\1.3."),
)
"""How the names of DeiT and timm, and older ones of torchvision, become torchvision's."""


class SelfAttention(nn.Module):
    """Every token looks at every other, in several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """Tokens to tokens."""
        rows, tokens, width = x.shape
        mixed = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = mixed.reshape(rows, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.out_proj(seen.transpose(1, 2).reshape(rows, tokens, width))
        return out


class Layer(nn.Module):
    """Attention, then a small network on each token, each with a way around it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.self_attention = nn.LayerNorm(width, eps=_EPSILON), SelfAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=_EPSILON)
        # The two dropouts are there because the public names count them; the recipe of the house drops elsewhere.
        self.mlp = nn.Sequential(
            nn.Linear(width, _WIDEN * width), nn.GELU(), nn.Dropout(0), nn.Linear(_WIDEN * width, width), nn.Dropout(0)
        )

    def forward(self, x: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """Tokens to tokens."""
        x = x + self.self_attention(self.ln_1(x))
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class ViT(Backbone):
    """Patches to tokens, with one more token that gathers what the image is.

    Args:
        depth: Layers.
        width: Numbers per token.
        heads: Attention heads.
        channels: Channels of the images.
        patch: Height and width of a patch in pixels.
        extent: Height and width of the images in pixels; a rest that fills no patch is left out.
    """

    FIRST = "conv_proj.weight"
    CLASSIFIER = ("heads.", "head.", "head_dist.", "pre_logits.")

    def __init__(self, depth: int, width: int, heads: int, channels: int, patch: int, extent: tuple[int, int]) -> None:
        super().__init__()
        self.width = width
        self.grid = (extent[0] // patch, extent[1] // patch)
        self.conv_proj = nn.Conv2d(channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.encoder = nn.Module()
        places = torch.empty(1, 1 + self.grid[0] * self.grid[1], width)
        self.encoder.pos_embedding = nn.Parameter(nn.init.trunc_normal_(places, std=0.02))
        self.encoder.layers = nn.Sequential()
        for number in range(depth):
            self.encoder.layers.add_module(f"encoder_layer_{number}", Layer(width, heads))
        self.encoder.ln = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, pixels: Float[Tensor, "batch channel height wide"]) -> FeatureMaps:
        """Pixels to one feature map, of one pixel per patch."""
        x = self.conv_proj(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.to(x.dtype).expand(len(x), -1, -1), x], dim=1)
        x = self.encoder.get_submodule("layers")(x + self.encoder.get_parameter("pos_embedding"))
        x = self.encoder.get_submodule("ln")(x)
        grid = x[:, 1:].transpose(1, 2).unflatten(2, self.grid)
        return FeatureMaps((grid,), x[:, 0])

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """DeiT's and timm's names become torchvision's; the places are stretched to our grid of patches."""
        renamed = {}
        for name, value in state.items():
            for pattern, new in _DEIT:
                name = re.sub(pattern, new, name)
            renamed[name] = self._places(value) if name == "encoder.pos_embedding" else value
        return renamed

    def _places(self, places: Float[Tensor, "one token width"]) -> Float[Tensor, "one place width"]:
        side = round((places.shape[1] - 1) ** 0.5)
        if side * side != places.shape[1] - 1 or (side, side) == self.grid:
            return places
        grid = places[:, 1:].transpose(1, 2).reshape(1, -1, side, side)
        stretched = F.interpolate(grid, size=self.grid, mode="bicubic", align_corners=False)
        return torch.cat([places[:, :1], stretched.flatten(2).transpose(1, 2)], dim=1)
