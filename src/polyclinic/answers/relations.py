"""Relations between two stretches of a text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.formats.packed import pack, pack_all, unpack
from polyclinic.formats.readable import Entry, json_column

TRUE, PREDICTED, FIRST_CHANCE = 4, 5, 6
"""Columns of a pair: before them stand the offsets, after them the chances."""


@dataclass(frozen=True)
class RelationAnswer(Answer):
    """Relations between two stretches of a text.

    Attributes:
        types: Names in the user's words; the first means that there is no relation.
        pairs: Packed float64 "pair 6+type": start and end of the head, start and end of the tail, true type
            (-1 = not known), predicted type, probability of each type.
    """

    form: ClassVar[str] = "relations"
    types: tuple[str, ...]
    pairs: Shaped[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["RelationAnswer"]) -> "RelationAnswer":
        """The mean of the chances; a pair that only some were asked about is no relation to the others."""
        rows = list(zip(*(answer.pairs for answer in answers), strict=True))
        pairs = np.empty(len(rows), dtype=object)
        pairs[:] = [pack(_together([unpack(part) for part in row])) if all(row) else b"" for row in rows]
        return replace(answers[0], pairs=pairs)

    def readable(self) -> dict[str, pl.Series]:
        """Offsets and types of what is related, never the text."""
        true = [None if pairs is None or (pairs[:, TRUE] < 0).any() else pairs for pairs in self._unpacked()]
        truth = [None if pairs is None else [self._entry(p, TRUE) for p in pairs if p[TRUE] > 0] for pairs in true]
        return {"relations_predicted_json": json_column(self.listed()), "relations_truth_json": json_column(truth)}

    def listed(self) -> list[list[Entry] | None]:
        """The relations that were found in each text; None where no pair was asked about."""
        return [
            None if pairs is None else [self._found(pair) for pair in pairs if pair[PREDICTED] > 0]
            for pairs in self._unpacked()
        ]

    def _unpacked(self) -> list[Float[np.ndarray, "pair column"] | None]:
        return [unpack(content) if content else None for content in self.pairs]

    def _found(self, pair: Float[np.ndarray, " column"]) -> Entry:
        confidence = round(float(pair[FIRST_CHANCE + int(pair[PREDICTED])]), 4)
        return {**self._entry(pair, PREDICTED), "confidence": confidence}

    def _entry(self, pair: Float[np.ndarray, " column"], column: int) -> Entry:
        head, tail = ([int(end) for end in pair[first : first + 2]] for first in (0, 2))
        return {"head": head, "tail": tail, "type": self.types[int(pair[column])]}

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two pairs in each text, one of them related; flawed chances sum to more than 1."""
        chance = rng.uniform(0.5, 1, samples) + flawed
        pairs = [np.array([[0, 4, 8, 12, 1, 1, 1 - c, c], [0, 4, 16, 20, 0, 0, 0.8, 0.2 + flawed]]) for c in chance]
        return cls(("none", "treats"), pack_all(pairs))


def _together(parts: Sequence[Float[np.ndarray, "_ column"]]) -> Float[np.ndarray, "pair column"]:
    """The pairs of several models in one text; a pair that only some were asked about is none to the others."""
    rows = {tuple(row[:PREDICTED]): row for part in parts for row in part}
    chances = [{tuple(row[:PREDICTED]): row[FIRST_CHANCE:] for row in part} for part in parts]
    united = np.array(list(rows.values())).reshape(len(rows), parts[0].shape[1])
    none = np.eye(1, parts[0].shape[1] - FIRST_CHANCE)[0]
    for position, pair in enumerate(rows):
        united[position, FIRST_CHANCE:] = np.mean([one.get(pair, none) for one in chances], axis=0)
    if len(united):
        united[:, PREDICTED] = united[:, FIRST_CHANCE:].argmax(axis=1)
    return united
