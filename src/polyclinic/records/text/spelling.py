"""What a token looks like, as numbers: the word, its beginnings, endings and inner pieces, its shape, its neighbours.

Pieces are kept as 64-bit hashes, not as text: a lexicon in a model file holds no word of a patient that could be read
off. Which pieces count is learned from training rows only; all others are 0.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from jaxtyping import Int, Int64

from polyclinic.records.text.tokens import is_ideograph

WORD_SLOTS = 2
"""The first slots of ``pieces`` hold the word itself, in lower case and as written."""
_EDGES = (1, 2, 3, 4, 5)
"""Letters of beginnings and endings that are pieces; five is a round number."""
_INNER = 14
"""Inner pieces of three letters, as a word of 16 letters has; of a longer one the first count. A round number."""
SLOTS = WORD_SLOTS + 1 + 2 * len(_EDGES) + _INNER
NEIGHBOURS = 5
"""One before, one after, both, two before, two after: what ``neighbours`` gives."""
_NUMBER = 1 << 20
"""Words whose pieces are remembered while a study runs: bounds the memory; a round number."""


@lru_cache(maxsize=_NUMBER)
def mark(piece: str) -> int:
    """A hash of a piece, above 0; the same on every machine."""
    return (int.from_bytes(blake2b(piece.encode(), digest_size=8).digest(), "little") >> 1) | 1


@lru_cache(maxsize=_NUMBER)
def shape(word: str) -> str:
    """Letters as X or x, digits as 0, repeated at most twice: "MPTP" is "XX", "Aspirin" is "Xxx"."""
    signs = ["X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word]
    return "".join(c for i, c in enumerate(signs) if i < 2 or not (c == signs[i - 1] == signs[i - 2]))


@lru_cache(maxsize=_NUMBER)
def pieces(word: str) -> Int64[np.ndarray, " slot"]:
    """Hashes of the pieces of one token; 0 = no piece in that slot.

    In order: the word in lower case, as written, its shape, beginnings and endings of one to five letters, and what
    three letters stand within it one after another. Digits count as 0 in pieces, so that numbers look alike.
    """
    found = np.zeros(SLOTS, dtype=np.int64)
    low = word.lower()
    found[0], found[1], found[2] = mark("w" + low), mark("W" + word), mark("s" + shape(word))
    if is_ideograph(word):
        return found
    low = "".join("0" if c.isdigit() else c for c in low)
    for k, length in enumerate(_EDGES):
        if len(low) >= length:
            found[3 + k] = mark("<" + low[:length])
            found[3 + len(_EDGES) + k] = mark(">" + low[-length:])
    inner = [mark("." + low[i : i + 3]) for i in range(len(low) - 2)][:_INNER]
    found[SLOTS - _INNER : SLOTS - _INNER + len(inner)] = inner
    return found


def neighbours(words: Sequence[str]) -> Int64[np.ndarray, "token neighbour"]:
    """Hashes of each token with those beside it: one before, one after, both, two before, two after."""
    padded = ["", "", *(word.lower() for word in words), "", ""]
    rows = [
        (
            mark(f"l{padded[i - 1]} {padded[i]}"),
            mark(f"r{padded[i]} {padded[i + 1]}"),
            mark(f"c{padded[i - 1]} {padded[i]} {padded[i + 1]}"),
            mark(f"k{padded[i - 2]} {padded[i - 1]} {padded[i]}"),
            mark(f"n{padded[i]} {padded[i + 1]} {padded[i + 2]}"),
        )
        for i in range(2, len(words) + 2)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, NEIGHBOURS)


def frequent(marks: Iterable[Int64[np.ndarray, "..."]], fewest: int, most: int) -> Int64[np.ndarray, " piece"]:
    """The pieces that come at least ``fewest`` times, the ``most`` frequent of them, in ascending order of hash."""
    counts: Counter[int] = Counter()
    for one in marks:
        values, times = np.unique(one, return_counts=True)
        counts.update(dict(zip(values.tolist(), times.tolist(), strict=True)))
    kept = [(-number, mark) for mark, number in counts.items() if mark and number >= fewest]
    return np.array(sorted(mark for _, mark in sorted(kept)[:most]), dtype=np.int64)


def number(marks: Int64[np.ndarray, "*shape"], lexicon: Int64[np.ndarray, " piece"]) -> Int[np.ndarray, "*shape"]:
    """Position of each piece in the lexicon counted from 1; 0 = not in it."""
    if not len(lexicon):
        return np.zeros(marks.shape, dtype=np.int32)
    index = np.searchsorted(lexicon, marks).clip(max=len(lexicon) - 1)
    return np.where(lexicon[index] == marks, index + 1, 0).astype(np.int32)
