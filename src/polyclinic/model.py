"""The model: encoders, fusion, heads. No optimizer, no device, no files."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from polyclinic.fusion import Fusion
from polyclinic.heads.base import Dense, Global, Head
from polyclinic.inputs.base import Input, located
from polyclinic.study.schema import ModelSection, Size
from polyclinic.tensors import Encoded, Fused, InputTensors, layer_name

WIDTHS = {Size.TINY: 32, Size.SMALL: 64, Size.MEDIUM: 128, Size.LARGE: 256}

_FUSION_DROPOUT = 0.1


@dataclass(frozen=True)
class Answers:
    """What the model says about a batch.

    Attributes:
        outputs: One tensor per target, by the user's own target names: "batch member out", or for a dense question
            "batch out *grid".
        fused: What the heads saw: summary, attention, tokens.
    """

    outputs: Mapping[str, Float[Tensor, "batch ..."]]
    fused: Fused


class Model(nn.Module):
    """One encoder per input, attention fusion, one layer per target; all sizes follow from the one dial.

    Args:
        inputs: Fitted inputs by the user's names.
        heads: Fitted heads by the user's names.
        section: Size and dropout.
    """

    def __init__(self, inputs: Mapping[str, Input], heads: Mapping[str, Head], section: ModelSection) -> None:
        super().__init__()
        width = WIDTHS[section.size]
        dropout = _FUSION_DROPOUT if section.dropout is None else section.dropout
        encoders = {
            layer_name(name): kind.encoder(width, section.size, section.dropout) for name, kind in inputs.items()
        }
        self.inputs, self.targets = tuple(inputs), tuple(heads)
        self.encoders = nn.ModuleDict(encoders)
        self.fusion = Fusion(tuple(inputs), width, dropout)
        members = max(kind.members(section.size) for kind in inputs.values())
        layers = {layer_name(name): _layer(kind, inputs, width, members, section.size) for name, kind in heads.items()}
        self.heads = nn.ModuleDict(layers)

    def forward(self, batch: Mapping[str, InputTensors]) -> Answers:
        """Tensors of each input, by the user's names, to one output per target."""
        return self.answer(self.encode(batch))

    def encode(self, batch: Mapping[str, InputTensors]) -> dict[str, Encoded]:
        """Each input by itself, as tokens."""
        return {name: self.encoders[layer_name(name)](batch[name]) for name in self.inputs}

    def answer(self, encoded: Mapping[str, Encoded]) -> Answers:
        """Tokens to answers: what stands above the encoders."""
        fused: Fused = self.fusion(encoded)
        return Answers({name: self.heads[layer_name(name)](fused) for name in self.targets}, fused)


def _layer(kind: Head, inputs: Mapping[str, Input], width: int, members: int, size: Size) -> nn.Module:
    if isinstance(kind, Dense):
        return kind.map_layer(located(inputs[kind.ground]).sight(size))
    assert isinstance(kind, Global), "a question is about the patient or about places"
    return kind.layer(width, members)


def build(inputs: Mapping[str, Input], heads: Mapping[str, Head], section: ModelSection, seed: int) -> Model:
    """A model with weights drawn from ``seed``: the same seed gives the same weights, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Model(inputs, heads, section)
