"""Plain models of stretches of a text: a dictionary of the training mentions, and a linear chain over simple marks."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int
from scipy import sparse

from polyclinic.baselines.linear_chain import ChainModel, fit_chain
from polyclinic.baselines.questions.base import Answers, DenseSort, PlainDense, PlainQuestion
from polyclinic.decoding.tagging import Tagging
from polyclinic.geometry import Tokens
from polyclinic.heads.tag import FoundSpans
from polyclinic.layers.text.tag_potentials import NEVER, spans_of

Text = tuple[str, ...]
"""The tokens of one text."""
Stretch = tuple[int, int, int]
"""First token, the token after the last, label."""

_FEWEST = 2
"""Occurrences in the training texts below which a mark is left out."""
_MOST_MARKS = 400_000  # bounds memory; a round number
_MOSTLY = 0.5  # more often than not
_AFFIXES = (1, 2, 3, 4)  # lengths in letters
_REPEATED = re.compile(r"(.)\1+")
_EDGE = "\N{START OF TEXT}"


@dataclass(frozen=True)
class Dictionary:
    """The mentions of the training texts, in small letters, each with its usual label.

    Attributes:
        labels: Label of each mention.
        counts: In how many training texts it is marked so.
        lengths: For each first token, how long its mentions are, longest first.
    """

    labels: dict[Text, int]
    counts: dict[Text, int]
    lengths: dict[str, tuple[int, ...]]

    @classmethod
    def learn(cls, texts: Sequence[Text], marked: Sequence[Sequence[Stretch]]) -> "Dictionary":
        """Collect the mentions, and keep those that are marked in at least half of the places where they stand."""
        votes: Counter[tuple[Text, int]] = Counter()
        for text, stretches in zip(texts, marked, strict=True):
            votes.update({(_small(text[start:end]), label) for start, end, label in stretches})
        labels: dict[Text, int] = {}
        for (mention, label), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
            labels.setdefault(mention, label)
        counts = {mention: votes[mention, label] for mention, label in labels.items()}
        return cls._of(labels, counts)._kept(texts, marked)

    @classmethod
    def _of(cls, labels: dict[Text, int], counts: dict[Text, int]) -> "Dictionary":
        lengths: dict[str, set[int]] = {}
        for mention in labels:
            lengths.setdefault(mention[0], set()).add(len(mention))
        ordered = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        return cls(labels, counts, ordered)

    def _kept(self, texts: Sequence[Text], marked: Sequence[Sequence[Stretch]]) -> "Dictionary":
        stands, right = Counter[Text](), Counter[Text]()
        for text, stretches in zip(texts, marked, strict=True):
            true = set(stretches)
            for start, end, label in self.find(text):
                mention = _small(text[start:end])
                stands[mention] += 1
                right[mention] += (start, end, label) in true
        kept = {m: label for m, label in self.labels.items() if right[m] >= _MOSTLY * stands[m]}
        return self._of(kept, {m: self.counts[m] for m in kept})

    def find(self, text: Text, own: frozenset[Text] = frozenset()) -> list[Stretch]:
        """The longest mentions in a text, from left to right.

        Args:
            text: Its tokens.
            own: Mentions that this very text gave to the dictionary: only if others gave them too do they count.
        """
        small, place, found = _small(text), 0, list[Stretch]()
        while place < len(small):
            for length in self.lengths.get(small[place], ()):
                mention = small[place : place + length]
                whole = len(mention) == length and mention in self.labels
                if whole and self.counts[mention] > (mention in own):
                    found.append((place, place + length, self.labels[mention]))
                    place += length - 1
                    break
            place += 1
        return found


def _small(text: Text) -> Text:
    return tuple(token.lower() for token in text)


@dataclass(frozen=True)
class TokenFeatures:
    """Which marks a token can have: its word, its ends, its shape; those of its neighbours; what the dictionary says.

    Attributes:
        words: Column of each mark of a token by itself.
        pairs: Column of each two tokens that follow one another.
        place: For each of all columns side by side its place among those that enough training tokens have, or -1.
    """

    words: dict[str, int]
    pairs: dict[tuple[str, str], int]
    place: Int[np.ndarray, " column"]

    @classmethod
    def learn(
        cls, texts: Sequence[Text], found: Sequence[Sequence[Stretch]], tagging: Tagging
    ) -> tuple["TokenFeatures", sparse.csr_array]:
        """The marks of training texts, and which tokens have them."""
        seen = Counter[str]()
        for token, number in Counter(token for text in texts for token in text).items():
            seen.update(dict.fromkeys(_of_token(token), number))
        pairs = Counter(pair for text in texts for pair in _pairs(text))
        words = {mark: column for column, mark in enumerate(sorted(m for m, n in seen.items() if n >= _FEWEST))}
        couples = {pair: column for column, pair in enumerate(sorted(p for p, n in pairs.items() if n >= _FEWEST))}
        every = cls(words, couples, np.zeros(0, dtype=np.int64))._all(texts, found, tagging)
        count = np.bincount(every.indices, minlength=every.shape[1])
        likeliest = np.argsort(-count, kind="stable")[:_MOST_MARKS]
        kept = np.sort(likeliest[count[likeliest] >= _FEWEST])
        place = np.full(every.shape[1], -1)
        place[kept] = np.arange(len(kept))
        learned = cls(words, couples, place)
        return learned, learned._chosen(every)

    def see(self, texts: Sequence[Text], found: Sequence[Sequence[Stretch]], tagging: Tagging) -> sparse.csr_array:
        """Which of the marks the tokens of some texts have."""
        return self._chosen(self._all(texts, found, tagging))

    def _chosen(self, every: sparse.csr_array) -> sparse.csr_array:
        """The columns that have a place; by hand, because slicing walks through all columns for every text."""
        place = self.place[every.indices]
        kept = place >= 0
        starts = np.concatenate([[0], np.cumsum(kept)])[every.indptr]
        shape = (every.shape[0], int(self.place.max(initial=-1)) + 1)
        return sparse.csr_array((every.data[kept], place[kept], starts), shape=shape)

    def _all(self, texts: Sequence[Text], found: Sequence[Sequence[Stretch]], tagging: Tagging) -> sparse.csr_array:
        kinds = [*sorted({token for text in texts for token in text}), _EDGE]
        number = {token: position for position, token in enumerate(kinds)}
        own, light = (
            self._by_kind(kinds, _of_token),
            self._by_kind(kinds, lambda token: [f"={token.lower()}", f"^{_short(_shape(token))}"]),
        )
        around = {offset: _shifted(texts, number, offset) for offset in (-2, -1, 0, 1, 2)}
        columns = [own[around[0]], own[around[-1]], own[around[1]], light[around[-2]], light[around[2]]]
        hints = _hints(found, [len(text) for text in texts], tagging)
        return sparse.csr_array(sparse.hstack([*columns, *self._couples(texts), *hints], format="csr"))

    def _by_kind(self, kinds: Sequence[str], marks_of: Callable[[str], list[str]]) -> sparse.csr_array:
        held = [[self.words[mark] for mark in marks_of(token) if mark in self.words] for token in kinds]
        return _rows(held, len(self.words))

    def _couples(self, texts: Sequence[Text]) -> tuple[sparse.csr_array, sparse.csr_array]:
        """The token with the one before it, and with the one after it."""
        held = [[self.pairs[pair]] if pair in self.pairs else [] for text in texts for pair in _pairs(text)]
        after = _rows(held, len(self.pairs))
        last = np.cumsum([len(text) for text in texts]) - 1
        before = np.arange(len(held)) - 1
        before[np.append(0, last[:-1] + 1)] = last if len(held) else 0  # the last token of a text has no pair
        return sparse.csr_array(after[before]), after


def _of_token(token: str) -> list[str]:
    small = token.lower()
    ends = [f"{side}{part}" for n in _AFFIXES if len(small) > n for side, part in (("<", small[:n]), (">", small[-n:]))]
    shape = _shape(token)
    return [f"={small}", f"#{token}", f"~{shape}", f"^{_short(shape)}", *ends]


def _shape(token: str) -> str:
    """Aspirin-81 as Xxxxxxx-99."""
    return "".join("X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in token)


def _short(shape: str) -> str:
    """Xxxxxxx-99 as Xx-9."""
    return _REPEATED.sub(r"\1", shape)


def _pairs(text: Text) -> list[tuple[str, str]]:
    small = _small(text)
    return list(zip(small, (*small[1:], _EDGE), strict=True))


def _shifted(texts: Sequence[Text], number: dict[str, int], offset: int) -> Int[np.ndarray, " token"]:
    """For each token the kind of the one so many places further; the edge beyond the text."""
    shifted = [
        text[offset:] + (_EDGE,) * min(offset, len(text))
        if offset >= 0
        else (_EDGE,) * min(-offset, len(text)) + text[:offset]
        for text in texts
    ]
    return np.array([number[token] for text in shifted for token in text], dtype=np.int64)


def _hints(found: Sequence[Sequence[Stretch]], lengths: Sequence[int], tagging: Tagging) -> list[sparse.csr_array]:
    """What the dictionary says of each token, and of the ones beside it."""
    tags = [tagging.write(list(stretches), length) for stretches, length in zip(found, lengths, strict=True)]
    beside = [np.pad(one, 1) for one in tags]
    columns = []
    for offset in (0, 1, 2):
        shifted = np.concatenate([one[offset : offset + n] for one, n in zip(beside, lengths, strict=True)])
        columns.append(sparse.csr_array(np.eye(tagging.tags)[:, 1:])[shifted])
    return [sparse.csr_array(one) for one in columns]


def _rows(held: Sequence[Sequence[int]], wide: int) -> sparse.csr_array:
    starts = np.concatenate([[0], np.cumsum([len(row) for row in held])])
    columns = np.array([column for row in held for column in row], dtype=np.int64)
    return sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(len(held), wide))


@dataclass(frozen=True)
class Tagger:
    """A fitted chain with the dictionary that it listens to."""

    dictionary: Dictionary
    marks: TokenFeatures
    chain: ChainModel
    tagging: Tagging

    def find(self, text: Text) -> list[tuple[int, int, int, float]]:
        """The likeliest stretches of a text: first token, the one after the last, label, chance."""
        if not text:
            return []
        emission = np.asarray(self.marks.see([text], [self.dictionary.find(text)], self.tagging) @ self.chain.weights)
        follows = self.chain.follows + np.where(self.tagging.allowed(), 0.0, NEVER)
        return spans_of(emission[None], follows[None], self.tagging)


def fit_tagger(texts: Sequence[Text], tags: Sequence[Int[np.ndarray, " _"]], tagging: Tagging) -> Tagger:
    """Learn a dictionary and a chain.

    What the dictionary says about a training text is asked without that text, so that the chain does not trust it
    more than new texts deserve.

    Args:
        texts: Tokens of the training texts; none empty.
        tags: Their tags.
        tagging: What the tags mean.
    """
    marked = [tagging.read(one) for one in tags]
    dictionary = Dictionary.learn(texts, marked)
    own = [
        frozenset(_small(text[start:end]) for start, end, _ in stretches)
        for text, stretches in zip(texts, marked, strict=True)
    ]
    found = [dictionary.find(text, mine) for text, mine in zip(texts, own, strict=True)]
    marks, seen = TokenFeatures.learn(texts, found, tagging)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return Tagger(dictionary, marks, fit_chain(seen, lengths, np.concatenate(tags), tagging.tags), tagging)


def _fit_dictionary(question: PlainQuestion) -> Answers | None:
    learned = [
        Dictionary.learn(texts, [tagging.read(one) for one in tags]) for texts, tags, tagging in _layers(question)
    ]

    def find(layer: int, text: Text) -> list[tuple[int, int, int, float]]:
        return [(*stretch, 1.0) for stretch in learned[layer].find(text)]

    return _answers(question, len(learned), find)


def _fit_chain(question: PlainQuestion) -> Answers | None:
    taggers = [fit_tagger(*layer) if layer[0] else None for layer in _layers(question)]
    if any(tagger is None for tagger in taggers):
        return None
    fitted = [tagger for tagger in taggers if tagger is not None]
    return _answers(question, len(fitted), lambda layer, text: fitted[layer].find(text))


def _layers(question: PlainQuestion) -> list[tuple[list[Text], list[Int[np.ndarray, " _"]], Tagging]]:
    """Training texts and their tags: once, or for each label where stretches may share words.

    The tags are begin and inside, whatever the head's are: a chain with twice as many takes twice as long.
    """
    labels, nested = len(question.head.plan.labels), question.head.options.nested
    theirs = Tagging(question.head.options.scheme, 1 if nested else labels)
    ours = Tagging("bio", theirs.labels)
    rows = [int(row) for row in question.rows.train.index if question.truth.tags[row] is not None]
    filled = [row for row in rows if question.truth.tags[row].shape[1]]
    texts = [question.values(row) for row in filled]

    def written(tags: Int[np.ndarray, " _"]) -> Int[np.ndarray, " _"]:
        return ours.write(theirs.read(tags), len(tags))

    layers = range(labels if nested else 1)
    return [(texts, [written(question.truth.tags[row][layer]) for row in filled], ours) for layer in layers]


def _answers(
    question: PlainQuestion, layers: int, find: Callable[[int, Text], list[tuple[int, int, int, float]]]
) -> Answers:
    """The stretches of a row in the form of the head's gatherer."""

    def answer(row: int) -> FoundSpans:
        place, text = question.places[row], question.values(row)
        assert isinstance(place, Tokens)
        ends = [
            (place.offsets[first, 0], place.offsets[last - 1, 1], label if layers == 1 else layer, chance)
            for layer in range(layers)
            for first, last, label, chance in find(layer, text)
        ]
        return FoundSpans(place.source.text, np.array(sorted(ends), dtype=np.float64).reshape(-1, 4))

    return answer


@final
class PlainTag(PlainDense):
    """Plain models of kind "tag"."""

    offered = (DenseSort("dictionary", _fit_dictionary), DenseSort("linear CRF with dictionary", _fit_chain))
