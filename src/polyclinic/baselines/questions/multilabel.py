"""Plain models of several labels: logistic regression, and boosted trees for each label."""

from typing import final

import numpy as np

from polyclinic.baselines.boosting import Boosted, Codes, Margins, Matrix, TreeClassifier, classify, lesson_of
from polyclinic.baselines.questions.base import PlainGlobal
from polyclinic.cohort.rows import Inner
from polyclinic.heads.base import Global
from polyclinic.heads.multilabel import LabelsTarget
from polyclinic.records.base import Features


@final
class PlainMultilabel(PlainGlobal):
    """Plain models of kind "multilabel"."""

    linear = "logistic regression"

    def grow(self, target: LabelsTarget, head: Global, features: Features, rows: Inner, seed: int) -> Boosted:
        """Trees for each label by itself."""
        codes = Codes.learn(features, rows.train)
        lessons = [lesson_of(codes, features, rows, truth) for truth in target.truth.T]
        return LabelTrees(codes, tuple(classify(lesson, 2, seed) for lesson in lessons))


@final
class LabelTrees(Boosted):
    """Trees whose output is the log odds of each label."""

    def __init__(self, codes: Codes, classifiers: tuple[TreeClassifier, ...]) -> None:
        super().__init__(codes)
        self._classifiers = classifiers

    def margins(self, matrix: Matrix) -> Margins:
        """Log odds of each label."""
        return np.hstack([classifier.log_odds(matrix) for classifier in self._classifiers])
