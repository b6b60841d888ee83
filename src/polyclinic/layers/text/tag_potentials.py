"""From a map of the words of a text to the potentials of a chain of tags, and from potentials to spans."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from polyclinic.decoding.chain import Chain, likeliest
from polyclinic.decoding.tagging import Tagging

NEVER = -1e4
"""In place of minus infinity: what no sequence of tags may hold."""


class Potentials(nn.Module):
    """How well each tag suits each token, and how well each tag follows each other one.

    The transitions do not depend on the token, but stand at every one: an output is one tensor.

    Args:
        width: Numbers per token of the map.
        layers: Chains side by side, each with tags of its own.
        tagging: The tags of a chain.
    """

    def __init__(self, width: int, layers: int, tagging: Tagging) -> None:
        super().__init__()
        self.emission = nn.Linear(width, layers * tagging.tags)
        self.transition = nn.Parameter(torch.zeros(layers, tagging.tags, tagging.tags))
        barred = torch.from_numpy(np.where(tagging.allowed(), 0.0, NEVER).astype(np.float32))
        self.register_buffer("barred", barred, persistent=False)

    def forward(self, words: Float[Tensor, "batch width token"]) -> Float[Tensor, "batch out token"]:
        """Suitability of all tags of all chains, then their transitions."""
        emission = self.emission(words.transpose(1, 2)).transpose(1, 2).float()
        barred = self.get_buffer("barred")
        transition = (self.transition.float() + barred).flatten()
        return torch.cat([emission, transition[None, :, None].expand(len(words), -1, words.shape[2])], dim=1)


def split(
    output: Float[Tensor, "batch out token"], layers: int, tags: int
) -> tuple[Float[Tensor, "chain token tag"], Float[Tensor, "chain tag tag"]]:
    """An output as emissions and transitions; the chains of a row stand one after another."""
    rows, _, tokens = output.shape
    emission = output[:, : layers * tags].reshape(rows * layers, tags, tokens).transpose(1, 2)
    return emission, output[:, layers * tags :, 0].reshape(rows * layers, tags, tags)


def spans_of(
    emission: Float[np.ndarray, "layer token tag"], transition: Float[np.ndarray, "layer tag tag"], tagging: Tagging
) -> list[tuple[int, int, int, float]]:
    """The spans of the likeliest tags: first token, the one after the last, label, chance of just this span.

    With several chains the label is the number of the chain.
    """
    spans: list[tuple[int, int, int, float]] = []
    for layer, (own, onward) in enumerate(zip(emission.astype(np.float64), transition, strict=True)):
        own[0] += np.where(tagging.may_start(), 0.0, NEVER)
        own[-1] += np.where(tagging.may_end(), 0.0, NEVER)
        found = tagging.read(likeliest(own, onward))
        chain = Chain.of(own, onward) if found else None
        for first, last, label in found:
            assert chain is not None
            chance = _chance(chain, first, last, label, tagging)
            spans.append((first, last, label if len(emission) == 1 else layer, chance))
    return sorted(spans)


def _chance(chain: Chain, first: int, last: int, label: int, tagging: Tagging) -> float:
    """Chance of one span; with "bio" less that of the same span going on."""
    tags = tagging.span_tags(last - first, label)
    chance = chain.chance(first, tags)
    if tagging.scheme == "bio" and last < len(chain.emission):
        chance -= chain.chance(first, tagging.span_tags(last - first + 1, label))
    return min(max(chance, 0.0), 1.0)


class Windows:
    """Potentials of the windows of one text, each token weighted by how far it lies from the window's edges.

    Args:
        tokens: Tokens of the text.
        layers: Chains side by side.
        tagging: The tags of a chain.
    """

    def __init__(self, tokens: int, layers: int, tagging: Tagging) -> None:
        self._layers, self._tagging = layers, tagging
        self._sum = np.zeros((layers, tokens, tagging.tags))
        self._weight = np.zeros(tokens)
        self._transition = np.zeros((layers, tagging.tags, tagging.tags))

    def add(self, output: Float[Tensor, "batch out token"], starts: list[int]) -> None:
        """Take in some windows, each with its first token."""
        emission, transition = split(output, self._layers, self._tagging.tags)
        layered = emission.reshape(-1, self._layers, *emission.shape[1:]).numpy()
        for start, window in zip(starts, layered, strict=True):
            length = min(window.shape[1], len(self._weight) - start)
            weight = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(np.float64)
            self._sum[:, start : start + length] += window[:, :length] * weight[None, :, None]
            self._weight[start : start + length] += weight
        self._transition = transition[: self._layers].numpy()

    def spans(self) -> list[tuple[int, int, int, float]]:
        """The spans of the whole text, as ``spans_of`` gives them."""
        if not len(self._weight):
            return []
        return spans_of(self._sum / self._weight[None, :, None], self._transition, self._tagging)


def wrong_spans(
    output: Float[Tensor, "batch out token"],
    tags: Int[Tensor, "batch layer token"],
    read: Bool[Tensor, "batch token"],
    tagging: Tagging,
) -> Float[Tensor, " batch"]:
    """How many spans of each row are missed or wrong."""
    layers = tags.shape[1]
    emission, transition = (part.cpu().numpy() for part in split(output, layers, tagging.tags))
    wrong = np.zeros(len(emission), dtype=np.float32)
    for k, (own, onward) in enumerate(zip(emission, transition, strict=True)):
        row, layer = divmod(k, layers)
        length = int(read[row].sum())
        found = tagging.read(likeliest(own[:length], onward))
        true = tagging.read(tags[row, layer, :length].cpu().numpy())
        wrong[k] = len(set(found) ^ set(true))
    return torch.from_numpy(wrong.reshape(-1, layers).sum(axis=1)).to(output.device)
