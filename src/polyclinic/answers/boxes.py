"""Objects as boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.decoding.box_votes import fused
from polyclinic.formats.packed import pack_all, unpack
from polyclinic.formats.readable import Entry, json_column

_AXES = {2: ("y", "x"), 3: ("i", "j", "k")}
"""Axes of the array as they are called in JSON: rows run down (y), columns across (x)."""


@dataclass(frozen=True)
class BoxAnswer(Answer):
    """Objects as boxes, in pixels of the file along the axes of its array: low corner, then high corner.

    Attributes:
        classes: Names in the user's words.
        unit: Unit of the boxes, "px".
        thresholds: From which score a box counts as found, by class.
        predicted: Packed float32 "box 2+2*dim": score, class, corners; best first.
        truth: Packed float32 "box 1+2*dim": class, corners; empty = not known.
    """

    form: ClassVar[str] = "boxes"
    classes: tuple[str, ...]
    unit: str
    thresholds: Float[np.ndarray, "sample klass"]
    predicted: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["BoxAnswer"]) -> "BoxAnswer":
        """Boxes that say the same, averaged; one that few models see has a low score."""
        first = answers[0]
        if len(answers) == 1:
            return first
        rows = zip(*(answer.predicted for answer in answers), strict=True)
        merged = [fused([unpack(one) for one in row]) for row in rows]
        predicted = pack_all([one.astype(np.float32) for one in merged])
        return replace(first, predicted=predicted, thresholds=np.mean([a.thresholds for a in answers], axis=0))

    def readable(self) -> dict[str, pl.Series]:
        """All boxes, and the true ones."""
        true = [unpack(content) if content else None for content in self.truth]
        truth = [None if boxes is None else [self._entry(int(b[0]), b[1:]) for b in boxes] for boxes in true]
        return {"boxes_predicted_json": json_column(self.listed()), "boxes_truth_json": json_column(truth)}

    def listed(self) -> list[list[Entry] | None]:
        """The boxes in each record, best first; None where there was none to look at."""
        read = [unpack(content) if content else None for content in self.predicted]
        return [
            None if boxes is None else [self._found(box, thresholds) for box in boxes]
            for boxes, thresholds in zip(read, self.thresholds, strict=True)
        ]

    def _found(self, box: Float[np.ndarray, " entry"], thresholds: Float[np.ndarray, " klass"]) -> Entry:
        klass = int(box[1])
        counted = bool(box[0] >= thresholds[klass])
        return {**self._entry(klass, box[2:]), "score": round(float(box[0]), 4), "counted": counted}

    def _entry(self, klass: int, corners: Float[np.ndarray, " corner"]) -> Entry:
        """A box by the names of its sides; hundredths of a pixel are more than anybody needs."""
        axes = _AXES[len(corners) // 2]
        sides = [f"{axis}{end}" for end in (0, 1) for axis in axes]
        placed = zip(sides, np.round(corners.astype(np.float64), 2).tolist(), strict=True)
        return {"label": self.classes[klass], **dict(sorted(placed))}

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """One object in each picture; a flawed score is above 1."""
        low = rng.uniform(0, 20, (samples, 2))
        scores = rng.uniform(0.3, 1, samples) + flawed
        truth = [np.array([[0, *corner, *(corner + 10)]], dtype=np.float32) for corner in low]
        predicted = [np.insert(box, 0, score, axis=1) for box, score in zip(truth, scores, strict=True)]
        return cls(("nodule",), "px", np.full((samples, 1), 0.5), pack_all(predicted), pack_all(truth))
