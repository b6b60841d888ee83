"""The plain tree model of every question: gradient boosting, stopped on tune rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.ensemble import HistGradientBoostingClassifier

from polyclinic.cohort.rows import Inner, Rows, TrainRows
from polyclinic.records.base import Features

_MOST_LEVELS = 250  # scikit-learn's trees take 255 at most; rare and absent ones need room
_FEW_TUNE_ROWS = 20  # fewer say too little about when to stop; a round number
_NEVER = -10.0  # log odds of a class that the training rows do not hold

Matrix = Float[np.ndarray, "row feature"]
Margins = Float[np.ndarray, "row out"]


@dataclass(frozen=True)
class Codes:
    """The levels of each category that trees may tell apart, the commonest ones of the training rows."""

    levels: tuple[tuple[int, Float[np.ndarray, " _"]], ...]

    @classmethod
    def learn(cls, features: Features, rows: TrainRows) -> "Codes":
        """Count the levels in the training rows."""
        matrix, places = features.matrix[rows.index], np.flatnonzero(features.categorical)
        return cls(tuple((int(place), _common(matrix[:, place])) for place in places))

    def matrix(self, features: Features, index: Int[np.ndarray, " row"]) -> Matrix:
        """Features with categories as small codes: rare and new levels share one, absence stays absent."""
        matrix: Matrix = features.matrix[index].astype(np.float64)
        for place, levels in self.levels:
            codes = matrix[:, place]
            at = np.minimum(np.searchsorted(levels, codes), max(len(levels) - 1, 0))
            known = levels[at] == codes if len(levels) else np.zeros(len(codes), dtype=bool)
            matrix[:, place] = np.where(np.isnan(codes), np.nan, np.where(known, at, len(levels)))
        return matrix


@dataclass(frozen=True)
class Boosted:
    """Trees that answer one question.

    Attributes:
        codes: What they see of categories.
        margins: From the rows of a matrix to their outputs: a number, or the log odds of each class, label, interval.
    """

    codes: Codes
    margins: Callable[[Matrix], Margins]

    def outputs(self, features: Features, rows: Rows) -> Float[np.ndarray, "row 1 out"]:
        """What the trees put out for some rows, as a head takes it."""
        return self.margins(self.codes.matrix(features, rows.index))[:, None, :]


@dataclass(frozen=True)
class Lesson:
    """What trees learn from, and what says when to stop.

    Attributes:
        seen: Features of the training rows with a known outcome.
        truth: Their outcomes.
        judged: Features of such tune rows.
        wanted: Their outcomes.
        categorical: Which features are categories.
        patients: Training rows before any of them was repeated.
        weight: How much each training row counts, or None.
        importance: How much each tune row counts, or None.
    """

    seen: Matrix
    truth: Float[np.ndarray, " row"]
    judged: Float[np.ndarray, "judged feature"]
    wanted: Float[np.ndarray, " judged"]
    categorical: tuple[bool, ...]
    patients: int
    weight: Float[np.ndarray, " row"] | None = None
    importance: Float[np.ndarray, " judged"] | None = None


@dataclass(frozen=True)
class TreeClassifier:
    """Trees for classes, or what stands in for them where the training rows hold one class only.

    Attributes:
        model: The trees, or None.
        held: Classes that the training rows hold.
        classes: All classes.
    """

    model: HistGradientBoostingClassifier | None
    held: Int[np.ndarray, " held"]
    classes: int

    def log_odds(self, matrix: Matrix) -> Margins:
        """One column per class, or a single one for the second of two."""
        margins = np.full((len(matrix), self.classes), _NEVER)
        if self.model is None:
            margins[:, self.held] = 0.0
        else:
            decided = self.model.decision_function(matrix)
            two = np.column_stack([np.zeros(len(matrix)), decided]) if decided.ndim == 1 else decided
            margins[:, self.held] = two
        return margins[:, 1:] - margins[:, :1] if self.classes == 2 else margins


def lesson_of(codes: Codes, features: Features, rows: Inner, truth: Float[np.ndarray, " sample"]) -> Lesson:
    """The rows with a known outcome."""
    train, tune = (part[~np.isnan(truth[part])] for part in (rows.train.index, rows.tune.index))
    seen, judged = codes.matrix(features, train), codes.matrix(features, tune)
    return Lesson(seen, truth[train], judged, truth[tune], features.categorical, len(train))


def classify(lesson: Lesson, classes: int, seed: int) -> TreeClassifier:
    """Trees that tell classes apart."""
    held = np.unique(lesson.truth).astype(np.int64)
    if len(held) < 2:
        return TreeClassifier(None, held, classes)
    known = np.isin(lesson.wanted, held)
    importance = None if lesson.importance is None else lesson.importance[known]
    lesson = replace(lesson, judged=lesson.judged[known], wanted=lesson.wanted[known], importance=importance)
    model = HistGradientBoostingClassifier(**settings_of(lesson, seed))
    model.fit(lesson.seen, lesson.truth, sample_weight=lesson.weight, **judge_of(lesson))
    return TreeClassifier(model, held, classes)


def settings_of(lesson: Lesson, seed: int) -> dict[str, Any]:
    """Small steps until the tune rows say stop; without enough of those, scikit-learn's usual hundred larger ones."""
    plain = {
        "categorical_features": np.array(lesson.categorical, dtype=bool),
        "min_samples_leaf": int(np.clip(lesson.patients // 20, 3, 20)),
        "random_state": seed,
    }
    if len(lesson.wanted) < _FEW_TUNE_ROWS:
        return {**plain, "early_stopping": False, "max_iter": 100, "learning_rate": 0.1}
    return {**plain, "early_stopping": True, "max_iter": 500, "learning_rate": 0.05, "n_iter_no_change": 20}


def judge_of(lesson: Lesson) -> dict[str, Any]:
    """What says when to stop, where there are tune rows enough to say so."""
    if len(lesson.wanted) < _FEW_TUNE_ROWS:
        return {}
    weight = {} if lesson.importance is None else {"sample_weight_val": lesson.importance}
    return {"X_val": lesson.judged, "y_val": lesson.wanted, **weight}


def _common(codes: Float[np.ndarray, " row"]) -> Float[np.ndarray, " level"]:
    """The commonest levels, ascending."""
    found, count = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return np.sort(found[np.argsort(-count, kind="stable")[:_MOST_LEVELS]])
