"""Cells that name relations between stretches of a text, and the pairs that are asked about because of them.

A cell of relations is a JSON list such as ``[{"head": [0, 9], "tail": [20, 29], "type": "treats"}]``; one of stretches
a list such as ``[{"start": 0, "end": 9, "label": "drug"}]``. Offsets count code points of the text as given; the end is
the position after the last. An empty list says that there is nothing; an empty cell that nothing is known.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from polyclinic.cohort.outcomes import rows_where
from polyclinic.errors import Finding
from polyclinic.records.text.spans import Row, Span, read_spans
from polyclinic.records.text.spans import misplaced as misplaced_spans

NONE = 0
"""Number of the type that means: no relation."""

Stretch = tuple[int, int]

_MOST_PAIRS = 128
"""Pairs of one view that are learned from: bounds the memory of a step; a round number."""

_HOW = 'Write [{"head": [0, 9], "tail": [20, 29], "type": "treats"}], counted in characters from 0; [] = none.'


@dataclass(frozen=True)
class Relation:
    """Two stretches and the name of what is between them."""

    head: Stretch
    tail: Stretch
    word: str


@dataclass(frozen=True)
class Asked:
    """What is asked about one text, and what is true.

    Attributes:
        related: Its relations.
        stretches: The stretches of which every pair is asked about; None where only ``related`` is.
        known: False where the relations are not known.
        quoted: Stretches of which the table says which words they hold.
    """

    related: tuple[Relation, ...]
    stretches: tuple[Stretch, ...] | None
    known: bool = True
    quoted: tuple[Span, ...] = ()

    def unquoted(self) -> set[Stretch]:
        """All stretches of which only the offsets are given."""
        every = {end for relation in self.related for end in (relation.head, relation.tail)} | {*(self.stretches or ())}
        return every - {(span.start, span.end) for span in self.quoted}


@dataclass(frozen=True)
class Candidates:
    """The pairs of one text that are asked about.

    Attributes:
        where: Start and end of the head, then of the tail.
        truth: Type of each, -1 where not known.
        missed: True relations that are not asked about: start and end of both, and the type.
    """

    where: Int[np.ndarray, "pair 4"]
    truth: Int[np.ndarray, " pair"]
    missed: Int[np.ndarray, "other 5"]


def read(
    cells: Sequence[str | None], spans: Sequence[str | None] | None, places: tuple[str, str]
) -> tuple[tuple[Asked | None, ...], list[Finding]]:
    """What the cells of each row ask; None where there is nothing in them. And the cells that hold something else.

    Args:
        cells: Of the column of relations.
        spans: Of the column of stretches, if there is one.
        places: Both columns, for messages.
    """
    related = [_parse(cell) for cell in cells]
    wrong = tuple(row for row, found in enumerate(related, 1) if found is _WRONG)
    findings = []
    if wrong:
        rule, found = "must hold a list of relations in JSON", f"{len(wrong)} cells do not"
        findings.append(Finding("bad_relations", places[0], rule, found, _HOW, rows=wrong))
    listed: Sequence[Row] = [None] * len(related)
    if spans is not None:
        listed, more = read_spans(spans, places[1])
        findings += more
    return tuple(_asked(mine, row) for mine, row in zip(related, listed, strict=True)), findings


def _asked(related: tuple[Relation, ...] | None, row: Row) -> Asked | None:
    if related is None and row is None:
        return None
    stretches = None if row is None else tuple(dict.fromkeys((span.start, span.end) for span in row))
    quoted = tuple(span for span in row or () if span.text is not None)
    return Asked(related or (), stretches, related is not None, quoted)


_WRONG = (Relation((0, 0), (0, 0), ""),)


def _parse(cell: str | None) -> tuple[Relation, ...] | None:
    """The relations of a cell; ``_WRONG`` where it holds something else."""
    if cell is None or not cell.strip():
        return None
    try:
        listed = json.loads(cell)
        return tuple(_relation(entry) for entry in listed) if isinstance(listed, list) else _WRONG
    except (ValueError, KeyError, TypeError, RecursionError):
        return _WRONG


def _relation(entry: Any) -> Relation:
    word = entry["type"]
    if not isinstance(word, str) or not word.strip():
        raise TypeError
    return Relation(_stretch(entry["head"]), _stretch(entry["tail"]), word.strip())


def _stretch(bounds: Sequence[Any]) -> Stretch:
    start, end = bounds
    if type(start) is not int or type(end) is not int:
        raise TypeError
    return start, end


def choose_types(
    cells: Sequence[Asked | None],
    declared: tuple[str, ...] | None,
    none: str,
    learned: tuple[str, ...] | None,
    place: str,
) -> tuple[tuple[str, ...], list[Finding]]:
    """Names of the types, that of a pair without relation first, and what is wrong with those in the cells.

    Args:
        cells: Relations and stretches of each row.
        declared: Types that the study names, or None.
        none: What a pair without relation is called.
        learned: Types of a head that is fitted already, or None.
        place: Column and table.
    """
    words = {relation.word for asked in cells if asked is not None for relation in asked.related}
    held = sorted(words - {none})
    if learned is None and not held:
        rule, found, remedy = "must hold relations", "no row has one", "Name another column."
        return (none,), [Finding("no_outcome", place, rule, found, remedy)]
    listed = held if declared is None else [word for word in declared if word != none]
    types = (none, *listed) if learned is None else learned
    strange = np.array([one is not None and any(r.word not in types for r in one.related) for one in cells])
    if not strange.any():
        return types, []
    rule, found = "every relation must be of a known type", f"{strange.sum()} rows hold others"
    remedy = "Add them to types, or correct the cells."
    return types, [Finding("unknown_type", place, rule, found, remedy, rows=rows_where(strange))]


def misplaced(asked: Sequence[Asked | None], texts: Sequence[str | None], place: str) -> list[Finding]:
    """What is wrong with where the stretches are; rows without a text are passed over."""
    rules = (
        ("offsets_beside_text", _beside, "every stretch must lie within its text, and hold more than space",
         "Count from 0, in characters of the text as given; the end is the position after the last."),
        ("misplaced_spans", _other_words, "offsets must fit the text",
         "Count from 0, in characters of the text as it stands in the cell; the end is not included."),
        ("related_to_itself", lambda asked, _: any(one.head == one.tail for one in asked.related),
         "a relation must join two stretches", "Name another head or tail."),
        ("unlisted_stretch", _unlisted, "a relation must join stretches that are listed", "List both."),
    )  # fmt: skip
    findings = []
    for name, test, rule, remedy in rules:
        pairs = zip(asked, texts, strict=True)
        wrong = tuple(row for row, (one, text) in enumerate(pairs, 1) if one and text is not None and test(one, text))
        if wrong:
            found = f"{len(wrong)} rows break this"
            findings.append(Finding(name, place, rule, found, remedy, rows=wrong))
    return findings


def _other_words(asked: Asked, text: str) -> bool:
    return misplaced_spans(asked.quoted, text)


def _beside(asked: Asked, text: str) -> bool:
    ends = [end for relation in asked.related for end in (relation.head, relation.tail)]
    every = [*ends, *(asked.stretches or ())]
    return any(not (0 <= start < end <= len(text)) or not text[start:end].strip() for start, end in every)


def _unlisted(asked: Asked, text: str) -> bool:
    if asked.stretches is None:
        return False
    listed = set(asked.stretches)
    return any(relation.head not in listed or relation.tail not in listed for relation in asked.related)


def gap(first: Stretch, second: Stretch) -> int:
    """Characters between two stretches; 0 where they touch or overlap."""
    return max(0, max(first[0], second[0]) - min(first[1], second[1]))


def candidates(asked: Asked, types: Sequence[str], most: int, *, directed: bool) -> Candidates:
    """The pairs that are asked about: those that are listed, or all pairs of listed stretches that are near enough.

    Of several types that are given to one pair the first counts; the others are told as missed.

    Args:
        asked: Of one text.
        types: Names of the types.
        most: Most characters between two stretches.
        directed: If not, the earlier stretch is the head.
    """
    number = {word: position for position, word in enumerate(types)}
    true: dict[tuple[int, ...], int] = {}
    missed = []
    for relation in asked.related:
        both = (relation.head, relation.tail)
        first, second = both if directed else sorted(both)
        pair: tuple[int, ...] = (*first, *second)
        if true.setdefault(pair, number[relation.word]) != number[relation.word]:
            missed.append((*pair, number[relation.word]))
    pairs = list(true) if asked.stretches is None else _all_pairs(asked.stretches, most, directed)
    held = set(pairs)
    missed += [(*pair, kind) for pair, kind in true.items() if pair not in held and kind != NONE]
    truth = [true.get(pair, NONE) if asked.known else -1 for pair in pairs]
    return Candidates(
        np.array(pairs, dtype=np.int64).reshape(-1, 4),
        np.array(truth, dtype=np.int64),
        np.array(missed, dtype=np.int64).reshape(-1, 5),
    )


def _all_pairs(stretches: Sequence[Stretch], most: int, directed: bool) -> list[tuple[int, ...]]:
    ordered = sorted(set(stretches))
    near = [(a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :] if gap(a, b) <= most]
    return [pair for a, b in near for pair in (((*a, *b), (*b, *a)) if directed else ((*a, *b),))]


def on_tokens(where: Int[np.ndarray, "pair 4"], offsets: Int[np.ndarray, "token 2"]) -> Int[np.ndarray, "pair 4"]:
    """Pairs of stretches as pairs of ranges of tokens: all tokens that a stretch touches."""
    starts = np.searchsorted(offsets[:, 1], where[:, 0::2], side="right")
    ends = np.searchsorted(offsets[:, 0], where[:, 1::2], side="left")
    return np.stack([starts, np.maximum(ends, starts)], axis=2).reshape(-1, 4).astype(np.int64)


def within(
    pairs: Int[np.ndarray, "_ 4"], truth: Int[np.ndarray, " _"], view: int
) -> tuple[Int[np.ndarray, "pair 4"], Int[np.ndarray, " pair"]]:
    """The pairs of known type that lie wholly within the first ``view`` tokens; too many are thinned out evenly.

    True relations are kept before others.
    """
    whole = (pairs.min(axis=1, initial=view) >= 0) & (pairs.max(axis=1, initial=0) <= view)
    inside = np.flatnonzero(whole & (truth >= 0))
    if len(inside) > _MOST_PAIRS:
        related, others = inside[truth[inside] != NONE][:_MOST_PAIRS], inside[truth[inside] == NONE]
        evenly = np.linspace(0, max(len(others) - 1, 0), _MOST_PAIRS - len(related)).astype(np.int64)
        inside = np.unique(np.concatenate([related, others[evenly] if len(others) else others]))
    return pairs[inside], truth[inside]


def ends(pairs: Float[np.ndarray, "pair column"], column: int) -> Float[np.ndarray, "end 3"]:
    """Heads and tails of the pairs that have a type in this column, with the number of the type's name."""
    related = pairs[pairs[:, column] > NONE]
    both = [np.column_stack([related[:, k : k + 2], related[:, column] - 1]) for k in (0, 2)]
    return np.concatenate(both)


def example(spans: Sequence[tuple[int, int, str]]) -> tuple[str, str]:
    """Cells of a synthetic text: neighbours of different labels are related, by the order of the alphabet."""
    related = [
        {"head": list(one[:2]), "tail": list(other[:2]), "type": "before" if one[2] < other[2] else "after"}
        for one, other in pairwise(spans)
        if one[2] != other[2]
    ]
    return json.dumps(related), json.dumps([{"start": s, "end": e, "label": word} for s, e, word in spans])
