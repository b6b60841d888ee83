"""Objects one by one, as numbers on a grid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.decoding.cell_scores import vote
from polyclinic.formats.packed import nothing, pack, pack_all, unpack
from polyclinic.formats.readable import Entry, json_column, run_lengths, shape_of, too_many


@dataclass(frozen=True)
class CellsAnswer(Answer):
    """Objects one by one, as numbers on the grid of the file: 0 = none, else the number of the cell.

    Attributes:
        unit: Unit of the spacing: "um" or "px".
        spacing: Length of a step along each axis, NaN where not known.
        scores: Packed float32: how sure the model is of each predicted cell, in order of their numbers.
        predicted: Packed int32 "*grid".
        truth: Packed int32 "*grid"; empty = not known.
    """

    form: ClassVar[str] = "cells"
    unit: str
    spacing: Float[np.ndarray, "sample dim"]
    scores: Shaped[np.ndarray, " sample"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["CellsAnswer"]) -> "CellsAnswer":
        """The cells of several fits put to the vote: foreground and heights averaged and told apart again."""
        first = answers[0]
        if len(answers) == 1:
            return first
        scores = nothing(len(first))
        predicted = nothing(len(first))
        for row in np.flatnonzero([bool(packed) for packed in first.predicted]):
            labels, score = vote([(unpack(one.predicted[row]), unpack(one.scores[row])) for one in answers])
            scores[row] = pack(score)
            predicted[row] = pack(labels)
        return replace(first, scores=scores, predicted=predicted)

    def readable(self) -> dict[str, pl.Series]:
        """Each cell as run lengths, with its score; and the true ones."""
        found = [_listed(labels, scores) for labels, scores in zip(self.predicted, self.scores, strict=True)]
        truth = [_listed(labels, b"") for labels in self.truth]
        return {"cells_predicted_json": json_column(found), "cells_truth_json": json_column(truth)}

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Two cells in each picture of 12 by 12; of flawed ones there is a score too many."""
        truth = np.zeros((samples, 12, 12), dtype=np.int32)
        truth[:, 1:5, 1:5] = 1
        truth[:, 7:11, 6:10] = 2
        shifts = rng.integers(0, 3, samples).tolist()
        found = [np.roll(truth[row], shift, axis=1) for row, shift in enumerate(shifts)]
        scores = [rng.uniform(0.5, 1, 2 + flawed).astype(np.float32) for _ in range(samples)]
        return cls("um", np.full((samples, 2), 0.5), pack_all(scores), pack_all(found), pack_all(list(truth)))


def _listed(packed: bytes, scores: bytes) -> list[Entry] | None:
    """The cells of one picture; None where nothing is known, or where they are too many for a table."""
    if not packed:
        return None
    labels = unpack(packed)
    runs = run_lengths(labels)
    if too_many(runs.values()):
        return None
    cells: list[Entry] = [
        {"cell": number, "size": shape_of(labels), "counts": counts} for number, counts in runs.items()
    ]
    sure = unpack(scores) if scores else np.zeros(0)
    if len(sure) != len(cells):
        return cells
    return [{**cell, "score": round(float(score), 4)} for cell, score in zip(cells, sure, strict=True)]
