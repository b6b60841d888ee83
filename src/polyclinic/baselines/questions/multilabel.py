"""Plain models of several labels: logistic regression, and boosted trees for each label."""

from typing import final

import numpy as np

from polyclinic.baselines.boosting import Boosted, Codes, classify, lesson_of
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
        each = [classify(lesson_of(codes, features, rows, truth), 2, seed) for truth in target.truth.T]
        return Boosted(codes, lambda matrix: np.hstack([classifier.log_odds(matrix) for classifier in each]))
