"""Texts as columns of a linear model: how often each word, pair of words and run of letters stands in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from polyclinic.records.text.tokens import language_of

_MOST_WORDS = 40_000  # the commonest ones: bounds memory; a round number
_MOST_PIECES = 20_000  # the commonest ones: bounds memory; a round number
_WORD = r"[^\W\d_]+|\d+|[^\w\s]"
_SCALE = 10.0**0.5
"""Texts are scaled to length 1, so that columns scaled to spread 1, which stand beside them, would drown them."""


@dataclass(frozen=True)
class Terms:
    """What is counted in a text, learned from training rows.

    Attributes:
        counters: One for words and one for pieces of words; for Chinese one for characters; none without any text.
    """

    counters: tuple[Any, ...]

    @classmethod
    def learn(cls, texts: Sequence[str]) -> "Terms":
        """The most frequent words and pairs of words, and runs of three or four letters within words.

        Weights are the logarithm of the count times that of the rarity.

        Source: Salton G, Buckley C. Information Processing & Management 1988;24:513-523.
        """
        filled = [text for text in texts if text.strip()]
        if not filled:
            return cls(())
        return cls(tuple(counter.fit(filled) for counter in _counters(filled)))

    def columns(self, texts: Sequence[str]) -> sparse.csr_array:
        """One row per text; a text that is absent has nothing."""
        found = [sparse.csr_array(counter.transform(texts)) for counter in self.counters]
        if not found:
            return sparse.csr_array((len(texts), 0))
        return sparse.csr_array(sparse.hstack(found, format="csr") * _SCALE)


def _counters(texts: Sequence[str]) -> list[Any]:
    if language_of(texts) == "zh":
        return [_counter(analyzer="char", ngram_range=(1, 3), max_features=_MOST_WORDS)]
    words = _counter(token_pattern=_WORD, ngram_range=(1, 2), max_features=_MOST_WORDS)
    return [words, _counter(analyzer="char_wb", ngram_range=(3, 4), max_features=_MOST_PIECES)]


def _counter(**keys: Any) -> Any:
    return TfidfVectorizer(sublinear_tf=True, lowercase=True, **keys)
