"""Regions of a picture or a scan, point by point."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.decoding.regions import decide
from polyclinic.formats.packed import nothing, pack, pack_all, unpack
from polyclinic.formats.readable import Entry, json_column, run_lengths, shape_of, too_many


@dataclass(frozen=True)
class MaskAnswer(Answer):
    """Regions of a picture or a scan, point by point, in the geometry of the file.

    Arrays that differ in size from sample to sample are packed (see ``formats.packed``); empty bytes = not known.

    Attributes:
        regions: Names in the user's words.
        exclusive: Whether a point belongs to one region at most: then the likeliest of the regions and none of them
            is the answer; else every region whose probability reaches its threshold is.
        unit: Unit of the spacing: "mm", "um" or "px".
        thresholds: From which probability a point is said to belong, by region; not used where exclusive.
        spacing: Length of a step along each axis, NaN where not known (then 1 px is meant).
        inside: Packed truth values "*grid": where the answer is judged; empty = everywhere.
        probability: Packed uint8 "region ...", 255 = certain.
        truth: Packed uint8 "region ...", 0 or 1.
    """

    form: ClassVar[str] = "mask"
    regions: tuple[str, ...]
    exclusive: bool
    unit: str
    thresholds: Float[np.ndarray, "sample region"]
    spacing: Float[np.ndarray, "sample dim"]
    inside: Shaped[np.ndarray, " sample"]
    probability: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["MaskAnswer"]) -> "MaskAnswer":
        """The mean of the probabilities."""
        first = answers[0]
        if len(answers) == 1:
            return first
        probability = nothing(len(first))
        for row in range(len(first)):
            probability[row] = _mean([answer.probability[row] for answer in answers if answer.probability[row]])
        thresholds = np.mean([answer.thresholds for answer in answers], axis=0)
        return replace(first, probability=probability, thresholds=thresholds)

    def decided(self, position: int) -> Bool[np.ndarray, "region ..."]:
        """Which points of one record belong to which region; none outside its field of view."""
        chances = unpack(self.probability[position])
        found = decide(chances, self.thresholds[position], exclusive=self.exclusive)
        inside = self.inside[position]
        return found & unpack(inside).astype(bool) if inside else found

    def readable(self) -> dict[str, pl.Series]:
        """Each region as run lengths, and the true ones."""
        known = [bool(packed) for packed in self.probability]
        found = [self._listed(self.decided(row)) if there else None for row, there in enumerate(known)]
        truth = [self._listed(unpack(packed)) if packed else None for packed in self.truth]
        return {"mask_predicted_json": json_column(found), "mask_truth_json": json_column(truth)}

    def _listed(self, regions: Shaped[np.ndarray, "region ..."]) -> list[Entry] | None:
        """The regions of one record; None where they are too torn for a table."""
        runs = [run_lengths(region.astype(np.int8)).get(1, [region.size]) for region in regions]
        if too_many(runs):
            return None
        named = zip(self.regions, runs, strict=True)
        return [{"label": name, "size": shape_of(regions[0]), "counts": counts} for name, counts in named]

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """A square in a picture of 8 by 8; a flawed answer lies on another grid."""
        truth = np.zeros((samples, 1, 8, 8), dtype=np.uint8)
        for grid, corner in zip(truth, rng.integers(0, 4, samples), strict=True):
            grid[:, corner : corner + 4, 2:6] = 1
        found = np.roll(truth, 1, axis=-1)[..., : 7 if flawed else 8] * 255
        half, spacing = np.full((samples, 1), 0.5), np.ones((samples, 2))
        return cls(
            ("lesion",), False, "mm", half, spacing, nothing(samples), pack_all(list(found)), pack_all(list(truth))
        )


def _mean(packed: Sequence[bytes]) -> bytes:
    """The mean of packed probabilities, as several models give them for one record; empty where there are none."""
    if not packed:
        return b""
    total = unpack(packed[0]).astype(np.uint16)
    for one in packed[1:]:
        total += unpack(one)
    return pack(np.rint(total / len(packed)).astype(np.uint8))
