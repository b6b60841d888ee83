"""Texts made ready for a network: cut into tokens, each token a few numbers; and stretches of them, padded."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Int, Int64

from polyclinic.records.text import spelling
from polyclinic.records.text.tokens import Manner, cut


@dataclass(frozen=True)
class Lexicon:
    """Which pieces of words and which neighbourhoods have numbers, learned from training texts.

    Attributes:
        pieces: Hashes in ascending order.
        neighbours: Likewise.
    """

    pieces: Int64[np.ndarray, " piece"]
    neighbours: Int64[np.ndarray, " neighbourhood"]

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], most: int) -> Self:
        """The pieces of words that come twice and the neighbourhoods that come three times, ``most`` of each."""
        pieces = (np.stack([spelling.pieces(word) for word in text]) for text in texts if text)
        around = (spelling.neighbours(text) for text in texts)
        return cls(spelling.frequent(pieces, 2, most), spelling.frequent(around, 3, most))


@dataclass(frozen=True)
class Stretches:
    """Some tokens of some texts, padded at the end.

    Attributes:
        read: False = padding.
        spelling: Number of each token's spelling, from 1; 0 = padding.
        pieces: Numbers of its pieces, 0 = none.
        neighbours: Numbers of its neighbourhoods, 0 = none.
        word: Number of the token in lower case, from 1; 0 = padding.
    """

    read: Bool[np.ndarray, "row token"]
    spelling: Int64[np.ndarray, "row token"]
    pieces: Int64[np.ndarray, "row token slot"]
    neighbours: Int64[np.ndarray, "row token neighbour"]
    word: Int64[np.ndarray, "row token"]


@dataclass(frozen=True)
class Readable:
    """Texts as numbers; ragged, one entry per row.

    Attributes:
        texts: As given, None where absent.
        offsets: Where each token stands.
        words: Each token, as it is looked up.
        spelling: Number of each token's spelling, from 1: a row of ``pieces``.
        word: Number of each token in lower case, from 1.
        neighbours: Numbers of each token's neighbourhoods, 0 = not in the lexicon.
        pieces: Numbers of the pieces of each spelling, 0 = not in the lexicon.
    """

    texts: Sequence[str | None]
    offsets: list[Int64[np.ndarray, "_ 2"]]
    words: list[list[str]]
    spelling: list[Int[np.ndarray, " _"]]
    word: list[Int[np.ndarray, " _"]]
    neighbours: list[Int[np.ndarray, "_ _"]]
    pieces: Int[np.ndarray, "spelling slot"]

    @classmethod
    def of(cls, texts: Sequence[str | None], manner: Manner, lower_case: bool, lexicon: Lexicon) -> Self:
        """Cut texts and look their tokens up."""
        both = [cut_words(text or "", manner, lower_case) for text in texts]
        words = [tokens for _, tokens in both]
        spellings: dict[str, int] = {}
        forms: dict[str, int] = {}
        numbers = [_numbers([spellings.setdefault(w, len(spellings) + 1) for w in t]) for t in words]
        lower = [_numbers([forms.setdefault(w.lower(), len(forms) + 1) for w in t]) for t in words]
        around = [spelling.number(spelling.neighbours(t), lexicon.neighbours) for t in words]
        marks = [np.zeros(spelling.SLOTS, dtype=np.int64), *(spelling.pieces(word) for word in spellings)]
        pieces = spelling.number(np.stack(marks), lexicon.pieces)
        return cls(texts, [offsets for offsets, _ in both], words, numbers, lower, around, pieces)

    @classmethod
    def of_public(
        cls,
        texts: Sequence[str | None],
        cut_text: Callable[[str], tuple[Int64[np.ndarray, "token 2"], list[int]]],
        vocabulary: int,
    ) -> Self:
        """Texts as a public tokenizer cuts them; a spelling is then the tokenizer's own number plus 1."""
        both = [cut_text(text or "") for text in texts]
        offsets = [where for where, _ in both]
        words = [[(t or "")[a:b] for a, b in where.tolist()] for t, where in zip(texts, offsets, strict=True)]
        forms: dict[str, int] = {}
        numbers = [_numbers([number + 1 for number in found]) for _, found in both]
        lower = [_numbers([forms.setdefault(w.lower(), len(forms) + 1) for w in t]) for t in words]
        around = [np.zeros((len(t), 0), dtype=np.int32) for t in words]
        return cls(texts, offsets, words, numbers, lower, around, np.zeros((vocabulary + 1, 0), dtype=np.int32))

    def lengths(self, index: Int[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
        """Tokens of some rows."""
        return np.array([len(self.words[row]) for row in index], dtype=np.int64)

    def stretches(
        self,
        index: Int[np.ndarray, " row"],
        starts: Int64[np.ndarray, " row"],
        lengths: Int64[np.ndarray, " row"],
        padded: int = 1,
    ) -> Stretches:
        """Some tokens of some rows, padded to the longest, and at least to ``padded``."""
        most = max(padded, int(lengths.max(initial=0)))
        spellings, words = (np.zeros((len(index), most), dtype=np.int64) for _ in range(2))
        beside = self.neighbours[0].shape[1] if self.neighbours else spelling.NEIGHBOURS
        around = np.zeros((len(index), most, beside), dtype=np.int64)
        for k, (row, start, length) in enumerate(zip(index.tolist(), starts.tolist(), lengths.tolist(), strict=True)):
            stretch = slice(start, start + length)
            spellings[k, :length] = self.spelling[row][stretch]
            words[k, :length] = self.word[row][stretch]
            around[k, :length] = self.neighbours[row][stretch]
        read = np.arange(most)[None] < lengths[:, None]
        return Stretches(read, spellings, self.pieces[spellings].astype(np.int64), around, words)


def cut_words(text: str, manner: Manner, lower_case: bool) -> tuple[Int64[np.ndarray, "token 2"], list[str]]:
    """Where the tokens of a text stand, and the tokens."""
    offsets = cut(text, manner)
    words = [text[start:end] for start, end in offsets.tolist()]
    return offsets, [word.lower() for word in words] if lower_case else words


def write_hashes(hashes: Int64[np.ndarray, " piece"]) -> str:
    """Hashes as text for a plan."""
    return b64encode(hashes.astype("<i8").tobytes()).decode()


def read_hashes(written: str) -> Int64[np.ndarray, " piece"]:
    """What ``write_hashes`` wrote."""
    return np.frombuffer(b64decode(written), dtype="<i8").astype(np.int64)


def _numbers(values: list[int]) -> Int[np.ndarray, " token"]:
    return np.array(values, dtype=np.int32)
