"""Reading a chain of tags off its potentials, one text at a time: the likeliest tags, and the chance of a stretch.

numpy in float64: texts are decoded one after another, and a chance near 1 must keep its digits.

Source: Rabiner LR. A tutorial on hidden Markov models. Proc IEEE 1989;77:257-286.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Emission = Float[np.ndarray, "token tag"]
Transition = Float[np.ndarray, "tag tag"]


@dataclass(frozen=True)
class Chain:
    """The potentials of one text with the sums over what comes before and after each token.

    Attributes:
        emission: How well each tag suits each token.
        transition: From the tag before to the tag.
        before: Logarithm of the sum over all beginnings that end with a tag at a token.
        after: The same over all ends that follow a tag at a token.
        total: Logarithm of the sum over all sequences.
    """

    emission: Emission
    transition: Transition
    before: Emission
    after: Emission
    total: float

    @classmethod
    def of(cls, emission: Emission, transition: Transition) -> "Chain":
        """Sum in both directions; at least one token."""
        emission, transition = emission.astype(np.float64), transition.astype(np.float64)
        before, after = emission.copy(), np.zeros_like(emission)
        for k in range(1, len(emission)):
            before[k] += _log_sum(before[k - 1][:, None] + transition, axis=0)
        for k in range(len(emission) - 2, -1, -1):
            after[k] = _log_sum(transition + (emission[k + 1] + after[k + 1])[None], axis=1)
        return cls(emission, transition, before, after, float(_log_sum(before[-1], axis=0)))

    def chances(self) -> Emission:
        """Chance of each tag at each token; each row sums to 1."""
        return np.asarray(np.exp(self.before + self.after - self.total))

    def chance(self, first: int, tags: Int[np.ndarray, " span"]) -> float:
        """Chance that just these tags stand from token ``first`` on, whatever stands around them."""
        last = first + len(tags) - 1
        own = self.emission[np.arange(first + 1, last + 1), tags[1:]].sum() + self.transition[tags[:-1], tags[1:]].sum()
        log = self.before[first, tags[0]] + own + self.after[last, tags[-1]] - self.total
        return float(np.exp(min(log, 0.0)))


def likeliest(emission: Emission, transition: Transition) -> Int[np.ndarray, " token"]:
    """The likeliest sequence of tags (Viterbi); of equals the lower number."""
    if not len(emission):
        return np.zeros(0, dtype=np.int64)
    best = emission[0].astype(np.float64)
    came = np.zeros(emission.shape, dtype=np.int64)
    for k in range(1, len(emission)):
        onward = best[:, None] + transition
        came[k] = onward.argmax(axis=0)
        best = onward.max(axis=0) + emission[k]
    tags = np.empty(len(emission), dtype=np.int64)
    tags[-1] = best.argmax()
    for k in range(len(emission) - 1, 0, -1):
        tags[k - 1] = came[k, tags[k]]
    return tags


def _log_sum(values: Float[np.ndarray, "..."], axis: int) -> Float[np.ndarray, "..."]:
    highest = values.max(axis=axis)
    return np.asarray(highest + np.log(np.exp(values - np.expand_dims(highest, axis)).sum(axis=axis)))
