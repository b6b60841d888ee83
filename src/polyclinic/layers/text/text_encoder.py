"""Networks that read a text token by token: pieces of words, then neighbours, then the same word elsewhere."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

Reader = Literal["bilstm", "cnn", "transformer"]
Numbers = Int[Tensor, "batch token"]
Slots = Int[Tensor, "batch token slot"]
Around = Int[Tensor, "batch token neighbour"]
Tokens = Float[Tensor, "batch token width"]
Features = Float[Tensor, "batch token out"]
Present = Bool[Tensor, "batch token"]

_HIDDEN, _DROPPED = 0.2, 0.1
"""Shares of words hidden and of pieces dropped while training."""


class Spelling(nn.Module):
    """A token as the sum of what its pieces stand for, and of what its neighbours make of it.

    While training, the word itself is hidden now and then, and pieces are dropped: most mentions of a disease or drug
    in new texts are made of words that were never seen, and must be known by their pieces.

    Args:
        pieces: Pieces in the lexicon.
        neighbours: Neighbourhoods in the lexicon.
        width: Numbers per token for its pieces.
        beside: Numbers per token for its neighbourhoods.
        word_slots: How many of the first slots hold the word itself.
        hidden: Share of words hidden while training.
        dropped: Share of pieces dropped while training.
    """

    def __init__(
        self, pieces: int, neighbours: int, width: int, beside: int, word_slots: int, hidden: float, dropped: float
    ) -> None:
        super().__init__()
        self.pieces = nn.Embedding(pieces + 1, width, padding_idx=0)
        self.neighbours = nn.Embedding(neighbours + 1, beside, padding_idx=0)
        for table in (self.pieces, self.neighbours):
            nn.init.normal_(table.weight, std=0.25)
            nn.init.zeros_(table.weight[0])
        self.word_slots, self.hidden, self.dropped = word_slots, hidden, dropped
        self.width = width + beside

    def forward(self, spelling: Numbers, pieces: Slots, neighbours: Around) -> Tokens:
        """Pieces and neighbourhoods to numbers; equal spellings are looked up once (and dropped alike) per batch.

        Spellings are numbered from 1; 0 = padding. Only which are equal counts: the numbers run over all rows of the
        table, and in their order other rows would have a say in what chance drops here.
        """
        kinds, where = torch.unique(spelling, return_inverse=True)
        position = torch.arange(where.numel(), device=where.device)
        first = torch.full_like(kinds, where.numel()).scatter_reduce(0, where.flatten(), position, "amin")
        first, order = first.sort()
        slots = self._thin(pieces.flatten(0, 1)[first])
        own = F.embedding_bag(slots, self.pieces.weight, mode="sum", padding_idx=0)[order.argsort()[where]]
        beside = self._drop(neighbours.flatten(0, 1))
        around = F.embedding_bag(beside, self.neighbours.weight, mode="sum", padding_idx=0)
        return torch.cat([own, around.reshape(*spelling.shape, -1)], dim=2)

    def _thin(self, slots: Int[Tensor, "kind slot"]) -> Int[Tensor, "kind slot"]:
        if not self.training:
            return slots
        slots = self._drop(slots)
        hide = torch.rand(len(slots), 1, device=slots.device) < self.hidden
        words = slots[:, : self.word_slots].masked_fill(hide, 0)
        return torch.cat([words, slots[:, self.word_slots :]], dim=1)

    def _drop(self, slots: Int[Tensor, "row slot"]) -> Int[Tensor, "row slot"]:
        if not self.training:
            return slots
        return slots.masked_fill(torch.rand(slots.shape, device=slots.device) < self.dropped, 0)


class Recurrence(nn.Module):
    """A BiLSTM layer over padded sequences; padding neither passes anything on nor gets anything.

    Source: Graves A, Schmidhuber J. Neural Networks 2005;18:602-610.
    """

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        assert out % 2 == 0, "half for each direction"
        self.forth = nn.LSTM(width, out // 2, batch_first=True)
        self.back = nn.LSTM(width, out // 2, batch_first=True)

    def forward(self, tokens: Tokens, present: Present) -> Features:
        """Both directions; the backward one reads each sequence from its own last token."""
        turned = turn(present)
        forth = self.forth(tokens)[0]
        reverse = tokens.gather(1, turned[:, :, None].expand_as(tokens))
        back = self.back(reverse)[0]
        back = back.gather(1, turned[:, :, None].expand_as(back))
        return torch.cat([forth, back], dim=2) * present[:, :, None]


def turn(present: Bool[Tensor, "batch token"]) -> Int[Tensor, "batch token"]:
    """For each token the place of its mirror image within its own sequence; padding stays where it is."""
    place = torch.arange(present.shape[1], device=present.device).expand(present.shape)
    return torch.where(present, present.sum(dim=1, keepdim=True) - 1 - place, place)


class Convolution(nn.Module):
    """A gated convolution along the text with a shortcut around it.

    Source: Dauphin YN et al. Language modeling with gated convolutional networks. ICML 2017; wide view by dilation as
    in Strubell E et al. Fast and accurate entity recognition with iterated dilated convolutions. EMNLP 2017.
    """

    def __init__(self, width: int, out: int, dilation: int) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if width == out else nn.Linear(width, out)
        self.mix = nn.Conv1d(width, 2 * out, 3, padding=dilation, dilation=dilation)
        self.norm = nn.LayerNorm(out)

    def forward(self, tokens: Tokens, present: Present) -> Features:
        """Each token with what stands beside it."""
        seen = tokens * present[:, :, None]
        mixed = F.glu(self.mix(seen.transpose(1, 2)), dim=1).transpose(1, 2)
        normed: Tensor = self.norm(self.shortcut(seen) + mixed)
        return normed * present[:, :, None]


class Echo(nn.Module):
    """What the same word was taken for elsewhere in the same text: the highest of each number over its places.

    A drug is named in full once and in passing later; an abbreviation is explained once. Same word = same number,
    from 1; 0 = padding.
    """

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.lens = nn.Linear(width, out)
        self.out = out

    def forward(self, tokens: Tokens, word: Numbers, present: Present) -> Features:
        """The highest over all places of the word in its row; 0 for padding."""
        seen = torch.tanh(self.lens(tokens))
        row = torch.arange(len(word), device=word.device)[:, None] * (word.max() + 1)
        _, place = torch.unique(torch.where(present, word, 0) + row, return_inverse=True)
        flat = place.flatten()[:, None].expand(-1, self.out)
        empty = seen.new_full((int(place.max()) + 1, self.out), -1.0)
        highest = empty.scatter_reduce(0, flat, seen.flatten(0, 1), "amax", include_self=True)
        return highest[place] * present[:, :, None]


class Attention(nn.Module):
    """Transformer layers along the text, with places told by sines.

    Source: Vaswani A et al. Attention is all you need. NeurIPS 2017; norm first.
    """

    def __init__(self, width: int, out: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.inward = nn.Linear(width, out)
        one = nn.TransformerEncoderLayer(out, 4, 2 * out, dropout, activation="gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)

    def forward(self, tokens: Tokens, present: Present) -> Features:
        """Each token with all others of its text."""
        inner = self.inward(tokens)
        inner = inner + sines(inner.shape[1], inner.shape[2]).to(inner)
        # A row without tokens would make the attention divide by zero: it looks at its padding.
        hidden = ~present & present.any(dim=1, keepdim=True)
        mixed: Tensor = self.layers(inner, src_key_padding_mask=hidden)
        return mixed * present[:, :, None]


def sines(tokens: int, width: int) -> Float[Tensor, "token width"]:
    """Places as sines and cosines of falling frequency."""
    half = torch.arange(width // 2, dtype=torch.float32)
    angle = torch.arange(tokens, dtype=torch.float32)[:, None] * torch.exp(half * (-9.21034 / max(1, width // 2)))
    return F.pad(torch.cat([angle.sin(), angle.cos()], dim=1), (0, width % 2))


class Pool(nn.Module):
    """One vector for a text: its tokens weighted by a learned question, and the highest of each number."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)
        self.out = nn.Linear(2 * width, out)

    def forward(self, tokens: Tokens, present: Present) -> Float[Tensor, "batch out"]:
        """Zeros in, for a row without tokens."""
        score = self.score(tokens)[:, :, 0].masked_fill(~present, -1e4)
        weights = torch.where(present, score.softmax(dim=1), 0.0)
        mean = torch.einsum("bt,btw->bw", weights, tokens)
        highest = tokens.masked_fill(~present[:, :, None], -1e4).amax(dim=1)
        highest = torch.where(present.any(dim=1, keepdim=True), highest, 0.0)
        pooled: Tensor = self.out(torch.cat([mean, highest], dim=1))
        return pooled


@dataclass(frozen=True)
class Widths:
    """How wide a reader is.

    Attributes:
        pieces: Numbers per token for its pieces.
        beside: Numbers per token for its neighbourhoods.
        first: Width of the first layer.
        echo: Numbers that a word hears of itself elsewhere.
        second: Width of the second layer.
    """

    pieces: int
    beside: int
    first: int
    echo: int
    second: int

    @property
    def width(self) -> int:
        """Numbers per token that a reader gives."""
        return self.second + self.pieces + self.beside


class Reading(nn.Module):
    """Tokens to numbers: spelling, a layer along the text, the echo of the same word elsewhere, a second layer.

    What the second layer says stands beside the spelling itself, so that a word which means the same everywhere need
    not pass through all of it.

    Args:
        lexicon: Pieces and neighbourhoods that have numbers.
        word_slots: How many of the first slots of the pieces hold the word itself.
        widths: How wide.
        kind: What reads along the text.
        dropout: Share of numbers left out between layers while training.
    """

    def __init__(self, lexicon: tuple[int, int], word_slots: int, widths: Widths, kind: Reader, dropout: float) -> None:
        super().__init__()
        hidden, dropped = (_HIDDEN, _DROPPED) if dropout else (0.0, 0.0)
        self.spelling = Spelling(*lexicon, widths.pieces, widths.beside, word_slots, hidden, dropped)
        self.first = _along(kind, self.spelling.width, widths.first, dropout)
        self.echo = Echo(widths.first, widths.echo)
        self.second = _along(kind, widths.first + widths.echo, widths.second, dropout)
        self.dropout = nn.Dropout(dropout)
        self.out = widths.width

    def forward(
        self, spelling: Numbers, pieces: Slots, neighbours: Around, word: Numbers, present: Present
    ) -> Features:
        """Every token in the light of the others."""
        spelt = self.dropout(self.spelling(spelling, pieces, neighbours) * present[:, :, None])
        inner = self.dropout(self.first(spelt, present))
        inner = torch.cat([inner, self.dropout(self.echo(inner, word, present))], dim=2)
        return torch.cat([self.dropout(self.second(inner, present)), spelt], dim=2)


class Convolutions(nn.Module):
    """Four gated convolutions that see ever further."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        widths = (width, out, out, out)
        self.layers = nn.ModuleList(Convolution(w, out, d) for w, d in zip(widths, (1, 2, 4, 1), strict=True))

    def forward(self, tokens: Tokens, present: Present) -> Features:
        """Each token with what stands within eight places of it."""
        for layer in self.layers:
            tokens = layer(tokens, present)
        return tokens


def _along(kind: Reader, width: int, out: int, dropout: float) -> nn.Module:
    if kind == "bilstm":
        return Recurrence(width, out)
    return Convolutions(width, out) if kind == "cnn" else Attention(width, out, 2, min(dropout, 0.1))
