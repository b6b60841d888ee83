"""A linear-chain conditional random field: sparse marks of each token, and which tag may follow which.

All sequences are walked through together, one token of each at a time, in plain numpy: no slower than a compiled
program for one sequence after another, and the same everywhere. A fitted chain is read by ``layers.chain``.

Source: Lafferty J, McCallum A, Pereira F. Conditional random fields. ICML 2001:282-289; the scaled forward and backward
passes are those of Rabiner LR. Proceedings of the IEEE 1989;77:257-286, section V.A.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import minimize

_PENALTY = 0.3
"""Of half the square of every weight, in nats. On NCBI-disease (train to development part) F1 is 0.7925 with 1,
0.7997 with 0.3, 0.7947 with 0.1."""
_STEPS = 80  # of the optimiser at most; a round number
_FEWEST_STEPS = 20  # of the optimiser, however many tokens there are; a round number
_TOKENS_TIMES_STEPS = 30_000_000
"""Bounds the time of a fit: a few minutes of one core."""
_TINY = 1e-30  # keeps the logarithm of nothing finite


@dataclass(frozen=True)
class ChainModel:
    """A fitted chain.

    Attributes:
        weights: Of each mark for each tag.
        follows: Of each tag (second axis) after each tag (first axis).
    """

    weights: Float[np.ndarray, "mark tag"]
    follows: Float[np.ndarray, "tag tag"]


@dataclass(frozen=True)
class _Walk:
    """The tokens in the order of the walk: first those that begin a sequence, longest sequence first, and so on.

    Attributes:
        order: Position of each in the tokens as given.
        edges: Where the tokens of each step begin, and the end.
    """

    order: Int[np.ndarray, " token"]
    edges: Int[np.ndarray, " step_and_end"]

    @classmethod
    def of(cls, lengths: Int[np.ndarray, " sequence"]) -> "_Walk":
        starts = np.cumsum(lengths) - lengths
        longest_first = np.argsort(-lengths, kind="stable")
        alive = [int((lengths > step).sum()) for step in range(int(lengths.max(initial=0)))]
        order = [starts[longest_first[:n]] + step for step, n in enumerate(alive)]
        whole = np.concatenate(order) if order else np.zeros(0, dtype=np.int64)
        return cls(whole, np.concatenate([[0], np.cumsum(alive)]).astype(np.int64))

    @property
    def steps(self) -> list[slice]:
        """The tokens of each step."""
        return [slice(int(a), int(b)) for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]


@dataclass(frozen=True)
class _Passed:
    """What the two passes found, tokens in the order of the walk."""

    log_total: float
    chances: Float[np.ndarray, "token tag"]
    pairs: Float[np.ndarray, "tag tag"]


def fit_chain(
    marks: sparse.csr_array, lengths: Int[np.ndarray, " sequence"], tags: Int[np.ndarray, " token"], kinds: int
) -> ChainModel:
    """The chain with the largest likelihood, under a squared penalty.

    Args:
        marks: Which marks each token has; sequences one after another.
        lengths: Tokens of each sequence.
        tags: Tag of each token.
        kinds: Number of tags.
    """
    walk = _Walk.of(lengths)
    arranged = sparse.csr_array(marks[walk.order])
    goal = np.eye(kinds)[tags[walk.order]]
    seen = _transitions(tags[walk.order], walk, kinds)
    turned = sparse.csr_array(arranged.T)
    size = (marks.shape[1], kinds)

    def objective(flat: Float[np.ndarray, " weight"]) -> tuple[float, Float[np.ndarray, " weight"]]:
        weights, follows = _unflat(flat, size)
        scores = np.asarray(arranged @ weights)
        passed = _pass(scores, follows, walk)
        loss = passed.log_total - float((scores * goal).sum()) - float((follows * seen).sum())
        slope = np.concatenate([(turned @ (passed.chances - goal)).ravel(), (passed.pairs - seen).ravel()])
        return loss + 0.5 * _PENALTY * float(flat @ flat), slope + _PENALTY * flat

    steps = int(np.clip(_TOKENS_TIMES_STEPS // max(len(tags), 1), _FEWEST_STEPS, _STEPS))
    start = np.zeros(size[0] * kinds + kinds * kinds)
    options = {"maxiter": steps, "gtol": 1e-3, "ftol": 1e-6, "maxcor": 6}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return ChainModel(*_unflat(found.x, size))


def _unflat(
    flat: Float[np.ndarray, " weight"], size: tuple[int, int]
) -> tuple[Float[np.ndarray, "mark tag"], Float[np.ndarray, "tag tag"]]:
    cut = size[0] * size[1]
    return flat[:cut].reshape(size), flat[cut:].reshape(size[1], size[1])


def _transitions(tags: Int[np.ndarray, " token"], walk: _Walk, kinds: int) -> Float[np.ndarray, "tag tag"]:
    """How often each tag follows each."""
    seen = np.zeros((kinds, kinds))
    for before, now in itertools.pairwise(walk.steps):
        after = tags[now]
        np.add.at(seen, (tags[before][: len(after)], after), 1.0)
    return seen


def _pass(scores: Float[np.ndarray, "token tag"], follows: Float[np.ndarray, "tag tag"], walk: _Walk) -> _Passed:
    """Forward and backward, scaled at every step so that nothing overflows."""
    top = scores.max(axis=1, keepdims=True, initial=-np.inf)
    local, step_to = np.exp(scores - top), np.exp(follows - follows.max())
    forward, scale = np.empty_like(local), np.empty((len(local), 1))
    steps = walk.steps
    for number, now in enumerate(steps):
        came = local[now]
        if number:
            came = came * (forward[steps[number - 1]][: len(came)] @ step_to)
        scale[now] = np.maximum(came.sum(axis=1, keepdims=True), _TINY)
        forward[now] = came / scale[now]
    backward, pairs = np.ones_like(local), np.zeros_like(step_to)
    for before, now in zip(steps[-2::-1], steps[:0:-1], strict=True):
        ahead = local[now] * backward[now] / scale[now]
        pairs += forward[before][: len(ahead)].T @ ahead
        backward[before][: len(ahead)] = ahead @ step_to.T
    chances = forward * backward
    chances /= np.maximum(chances.sum(axis=1, keepdims=True), _TINY)
    moves = len(local) - (int(walk.edges[1]) if len(steps) else 0)
    log_total = float(np.log(scale).sum() + top.sum() + moves * follows.max())
    return _Passed(log_total, chances, pairs * step_to)
