"""How two stretches of a text belong together, read off numbers that a network gives to every token.

The network looks at a text once, whichever pairs are asked about: every token says what it would mean as the one or the
other end of a pair, and what it votes for when it stands before, between or after them. A pair then adds up what its
own tokens say and the votes of the tokens around it, weighted by attention. Nothing is learned outside the network, so
that any pair can be asked about later.

Source: the bilinear part after Dozat T, Manning CD. Deep biaffine attention for neural dependency parsing. ICLR 2017;
attention asked by the two entities after Lin Y et al. ACL 2016:2124-2133; votes by place after the piecewise pooling of
Zeng D et al. EMNLP 2015:1753-1762.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

_PLACES = 6
"""Before the pair, between with the head first, between with the tail first, after, in the head, in the tail."""
_CONTEXT = 40
"""Tokens further from both ends than this have no vote."""
_FAR = -1e4  # no weight after softmax, and finite in half precision
_AT_ONCE = 256  # pairs at a time: bounds the memory


@dataclass(frozen=True)
class Ballot:
    """How many numbers each token gives, and what for.

    Attributes:
        types: Types that a pair may have.
        rank: Of the bilinear part.
        gazes: Separate attentions.
        depth: Numbers by which attention is asked and answered.
    """

    types: int
    rank: int = 4
    gazes: int = 2
    depth: int = 8

    @property
    def parts(self) -> tuple[int, ...]:
        """Numbers for: both ends together, each end alone, distance, questions, keys, gates, votes, votes by place."""
        asked = self.gazes * self.depth
        ends = (2 * self.types * self.rank, 2 * self.types, self.types)
        return (*ends, 2 * asked, asked, self.gazes * _PLACES, self.gazes * self.types, _PLACES * self.types)

    @property
    def out(self) -> int:
        """All of them."""
        return sum(self.parts)


class Voters(nn.Module):
    """What every token says, from what the network made of it.

    Args:
        width: Numbers per token.
        ballot: What to say.
        start: Score of each type before anything is known, such as the logarithm of how common it is.
        dropped: Share of numbers dropped while training.
    """

    def __init__(self, width: int, ballot: Ballot, start: Float[Tensor, " type"], dropped: float = 0.3) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Conv1d(width, 256, 1), nn.ReLU(), nn.Dropout(dropped))
        self.say = nn.Conv1d(256, ballot.out, 1)
        both = ballot.parts[0]
        bias = torch.zeros(ballot.out)
        bias[both : both + ballot.types] = start
        self.say.bias = nn.Parameter(bias)
        self.say.weight = nn.Parameter(0.5 * self.say.weight.detach())  # the start prevails

    def forward(self, tokens: Float[Tensor, "batch channel token"]) -> Float[Tensor, "batch out token"]:
        """Token by token."""
        outputs: Tensor = self.say(self.hidden(tokens))
        return outputs


def score(
    outputs: Float[Tensor, "batch out token"],
    pairs: Int[Tensor, "batch pair 4"],
    present: Bool[Tensor, "batch token"],
    ballot: Ballot,
) -> Float[Tensor, "batch pair type"]:
    """How well each type suits each pair.

    Args:
        outputs: What ``Voters`` gave.
        pairs: First token of the head and the one after its last, then of the tail.
        present: False = padding: it has no vote.
        ballot: What was outputs.
    """
    both, ends, far, asked, key, gate, vote, by_place = torch.split_with_sizes(
        outputs.transpose(1, 2), ballot.parts, dim=2
    )
    place = _places(pairs, outputs.shape[2])
    head, tail = _mean_over(place[..., 4]), _mean_over(place[..., 5])
    types, rank = ballot.types, ballot.rank
    first, second = both.chunk(2, dim=2)
    together = torch.unflatten((head @ first) * (tail @ second), 2, (types, rank)).sum(dim=3) * rank**-0.5
    alone = head @ ends[..., :types] + tail @ ends[..., types:]
    starts, ends_at = pairs[..., 0::2], pairs[..., 1::2]
    between = (starts.amax(dim=2) - ends_at.amin(dim=2)).clamp(min=0).float()
    distance = (head @ far) * torch.log1p(between)[..., None]
    question = head @ asked.chunk(2, dim=2)[0] + tail @ asked.chunk(2, dim=2)[1]
    gaze = _attend(question, key, gate, place, _near(pairs, present), ballot)
    votes = torch.einsum("bpkg,bkgt->bpt", gaze, torch.unflatten(vote, 2, (ballot.gazes, types)))
    weighted = gaze.sum(dim=3)[..., None] * place
    votes = votes + torch.einsum("bpkr,bkrt->bpt", weighted, torch.unflatten(by_place, 2, (_PLACES, types)))
    total: Tensor = together + alone + distance + votes
    return total


def _attend(
    question: Float[Tensor, "batch pair asked"],
    key: Float[Tensor, "batch token asked"],
    gate: Float[Tensor, "batch token gate"],
    place: Float[Tensor, "batch pair token place"],
    near: Bool[Tensor, "batch pair token"],
    ballot: Ballot,
) -> Float[Tensor, "batch pair token gaze"]:
    """Weights that sum to 1 over the tokens near the pair."""
    apart = (ballot.gazes, ballot.depth)
    question, key = torch.unflatten(question, 2, apart), torch.unflatten(key, 2, apart)
    match = torch.einsum("bpgd,bkgd->bpkg", question, key) * ballot.depth**-0.5
    opened = torch.einsum("bpkr,bkgr->bpkg", place, torch.unflatten(gate, 2, (ballot.gazes, _PLACES)))
    weights: Tensor = (match + opened).masked_fill(~near[..., None], _FAR).softmax(dim=2)
    return weights


def _places(pairs: Int[Tensor, "batch pair 4"], tokens: int) -> Float[Tensor, "batch pair token place"]:
    """Where each token stands relative to each pair, as marks of 0 and 1; a token of both ends belongs to both."""
    here = torch.arange(tokens, device=pairs.device)
    head_start, head_end, tail_start, tail_end = (pairs[..., k, None] for k in range(4))
    head, tail = (here >= head_start) & (here < head_end), (here >= tail_start) & (here < tail_end)
    outside = ~head & ~tail
    before = outside & (here < torch.minimum(head_start, tail_start))
    after = outside & (here >= torch.maximum(head_end, tail_end))
    between = outside & ~before & ~after
    forward = head_start <= tail_start
    return torch.stack([before, between & forward, between & ~forward, after, head, tail], dim=3).float()


def _mean_over(inside: Float[Tensor, "batch pair token"]) -> Float[Tensor, "batch pair token"]:
    return inside / inside.sum(dim=2, keepdim=True).clamp(min=1)


def _near(pairs: Int[Tensor, "batch pair 4"], present: Bool[Tensor, "batch token"]) -> Bool[Tensor, "batch pair token"]:
    here = torch.arange(present.shape[1], device=pairs.device)
    low, high = pairs[..., 0::2].amin(dim=2) - _CONTEXT, pairs[..., 1::2].amax(dim=2) + _CONTEXT
    return present[:, None] & (here >= low[..., None]) & (here < high[..., None])


@dataclass(frozen=True)
class TokenVotes:
    """What a network says about one text: any pair can be asked about.

    Attributes:
        offsets: Where the tokens stand.
        votes: What each says, half precision: texts are many.
    """

    offsets: Int[np.ndarray, "token 2"]
    votes: Float[np.ndarray, "out token"]

    def scores(self, pairs: Int[np.ndarray, "pair 4"], ballot: Ballot) -> Float[np.ndarray, "pair type"]:
        """How well each type suits each pair of ranges of tokens."""
        votes = torch.from_numpy(self.votes.astype(np.float32))[None]
        present = torch.ones(1, votes.shape[2], dtype=torch.bool)
        parts = [pairs[first : first + _AT_ONCE] for first in range(0, len(pairs), _AT_ONCE)]
        found = [score(votes, torch.from_numpy(part)[None], present, ballot)[0].numpy() for part in parts]
        return np.concatenate([np.zeros((0, ballot.types)), *found])


@dataclass(frozen=True)
class PairScores:
    """What a plain model says about the pairs of one text, and only about them.

    Attributes:
        where: Start and end in the text of the head, then of the tail.
        logits: Score of each type.
    """

    where: Int[np.ndarray, "pair 4"]
    logits: Float[np.ndarray, "pair type"]

    def scores(self, where: Int[np.ndarray, "pair 4"]) -> Float[np.ndarray, "pair type"]:
        """How well each type suits some of the pairs."""
        place = {tuple(pair): position for position, pair in enumerate(self.where.tolist())}
        return self.logits[np.array([place[tuple(pair)] for pair in where.tolist()], dtype=np.int64)]


class WindowVotes:
    """Windows of one text: each token is heard mostly where there is much text on both sides of it."""

    def __init__(self, offsets: Int[np.ndarray, "token 2"], ballot: Ballot) -> None:
        self._offsets = offsets
        self._total = np.zeros((ballot.out, len(offsets)), dtype=np.float32)
        self._weight = np.zeros(len(offsets), dtype=np.float32)

    def add(self, window: Float[np.ndarray, "out token"], start: int) -> None:
        """Take in one window that begins at this token."""
        low, high = max(0, start), min(len(self._offsets), start + window.shape[1])
        here = np.arange(low - start, high - start)
        weight = 1.0 + np.minimum(here, window.shape[1] - 1 - here).astype(np.float32)
        self._total[:, low:high] += weight * window[:, here]
        self._weight[low:high] += weight

    def close(self) -> TokenVotes:
        """The votes of every token."""
        return TokenVotes(self._offsets, (self._total / np.maximum(self._weight, 1e-6)).astype(np.float16))
