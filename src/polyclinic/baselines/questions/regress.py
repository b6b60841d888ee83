"""Plain models of a number: ridge regression, and boosted trees."""

from typing import final

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from polyclinic.baselines.boosting import Boosted, Codes, judge_of, lesson_of, settings_of
from polyclinic.baselines.questions.base import PlainGlobal
from polyclinic.cohort.rows import Inner
from polyclinic.heads.base import Global
from polyclinic.heads.regress import ValueTarget
from polyclinic.records.base import Features


@final
class PlainRegress(PlainGlobal):
    """Plain models of kind "regress"."""

    linear = "ridge regression"

    def grow(self, target: ValueTarget, head: Global, features: Features, rows: Inner, seed: int) -> Boosted:
        """Trees for the number as the head standardises it."""
        codes = Codes.learn(features, rows.train)
        tensors = head.collate(target, np.arange(len(target.known)))
        truth = tensors.truth.numpy().astype(np.float64)  # type: ignore[attr-defined]
        lesson = lesson_of(codes, features, rows, np.where(target.known, truth, np.nan))
        model = HistGradientBoostingRegressor(**settings_of(lesson, seed))
        model.fit(lesson.seen, lesson.truth, **judge_of(lesson))
        return Boosted(codes, lambda matrix: model.predict(matrix)[:, None])
