"""Plain features as the columns of a linear model: imputed, scaled, one per level; from training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from polyclinic.baselines.terms import Terms
from polyclinic.cohort.rows import TrainRows
from polyclinic.records.base import Features

_FEWEST = 5  # rows of a level that has a column of its own; a round number
_WIDE = 64  # columns of levels above which the matrix is sparse; a round number

Matrix: TypeAlias = Float[np.ndarray, "row column"] | sparse.csr_array


@dataclass(frozen=True)
class Levels:
    """The levels of one category that enough training rows hold.

    Attributes:
        feature: Position among the features.
        codes: The levels, ascending.
    """

    feature: int
    codes: Float[np.ndarray, " level"]


@dataclass(frozen=True)
class Design:
    """How features become columns.

    Attributes:
        numbers: Features that are numbers and vary.
        middle: Their medians, which stand in where one is absent.
        centre: What is subtracted.
        spread: What is divided by.
        absent: Features that get a column which says that they are absent.
        categories: Features that are categories, with their levels.
        terms: What is counted in each column of texts.
    """

    numbers: Int[np.ndarray, " number"]
    middle: Float[np.ndarray, " number"]
    centre: Float[np.ndarray, " number"]
    spread: Float[np.ndarray, " number"]
    absent: Int[np.ndarray, " mark"]
    categories: tuple[Levels, ...]
    terms: tuple[Terms, ...] = ()

    @classmethod
    def learn(cls, features: Features, rows: TrainRows) -> "Design":
        """Medians, scales and levels of the training rows; features that never vary there are left out."""
        matrix, categorical = features.matrix[rows.index], np.array(features.categorical, dtype=bool)
        # Beside thousands of counted words the sums of some of them, each as spread as all words together, drown them.
        own = np.array([name not in features.stand_ins for name in features.names], dtype=bool)
        numbers = np.flatnonzero(~categorical & own)
        missing = np.isnan(matrix)
        middle = _medians(matrix[:, numbers])
        filled = np.where(missing[:, numbers], middle, matrix[:, numbers])
        centre, spread = filled.mean(axis=0), filled.std(axis=0)
        kept = spread > 1e-12 * np.maximum(1.0, np.abs(centre))
        partly = own & missing.any(axis=0) & ~missing.all(axis=0)
        return cls(
            numbers[kept],
            middle[kept],
            centre[kept],
            spread[kept],
            np.flatnonzero(partly),
            tuple(_levels(matrix[:, i], int(i)) for i in np.flatnonzero(categorical)),
            tuple(Terms.learn(_some(texts, rows.index)) for texts in features.texts),
        )

    def columns(self, features: Features, index: Int[np.ndarray, " row"]) -> Matrix:
        """The columns of some rows; sparse where there are many levels, or texts."""
        matrix = features.matrix[index]
        numbers = np.where(np.isnan(matrix[:, self.numbers]), self.middle, matrix[:, self.numbers])
        dense = np.hstack([(numbers - self.centre) / self.spread, np.isnan(matrix[:, self.absent])])
        if self.terms or sum(len(levels.codes) for levels in self.categories) > _WIDE:
            marks = [_sparse_marks(matrix[:, levels.feature], levels.codes) for levels in self.categories]
            counted = [one.columns(_some(texts, index)) for one, texts in zip(self.terms, features.texts, strict=True)]
            return sparse.csr_array(sparse.hstack([sparse.csr_array(dense), *marks, *counted], format="csr"))
        marks = [(matrix[:, [levels.feature]] == levels.codes).astype(float) for levels in self.categories]
        return np.hstack([dense, *marks])


def merge(parts: Sequence[Features]) -> Features:
    """The features of several inputs side by side, numbers and codes as doubles."""
    return Features(
        np.hstack([part.matrix for part in parts]).astype(np.float64),
        tuple(name for part in parts for name in part.names),
        tuple(kind for part in parts for kind in part.categorical),
        tuple(texts for part in parts for texts in part.texts),
        frozenset().union(*(part.stand_ins for part in parts)),
    )


def _some(texts: Sequence[str], index: Int[np.ndarray, " row"]) -> list[str]:
    return [texts[row] for row in index]


def _medians(matrix: Float[np.ndarray, "row number"]) -> Float[np.ndarray, " number"]:
    """The median of each column; 0 where nothing is there."""
    medians = np.zeros(matrix.shape[1])
    there = ~np.isnan(matrix).all(axis=0)
    medians[there] = np.nanmedian(matrix[:, there], axis=0)
    return medians


def _levels(codes: Float[np.ndarray, " row"], feature: int) -> Levels:
    """Levels that enough rows hold; rarer ones and new ones are all the same to the model."""
    found, count = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return Levels(feature, found[count >= _FEWEST])


def _sparse_marks(codes: Float[np.ndarray, " row"], levels: Float[np.ndarray, " level"]) -> sparse.csr_array:
    place = np.minimum(np.searchsorted(levels, codes), max(len(levels) - 1, 0))
    held: Bool[np.ndarray, " row"] = np.zeros(len(codes), bool) if not len(levels) else levels[place] == codes
    rows = np.flatnonzero(held)
    return sparse.csr_array((np.ones(len(rows)), (rows, place[rows])), shape=(len(codes), len(levels)))
