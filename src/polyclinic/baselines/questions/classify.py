"""Plain models of one of several classes: logistic regression, and boosted trees."""

from typing import final

import numpy as np

from polyclinic.baselines.boosting import Boosted, Codes, classify, lesson_of
from polyclinic.baselines.questions.base import PlainGlobal
from polyclinic.cohort.rows import Inner
from polyclinic.heads.base import Global
from polyclinic.heads.classify import ClassTarget
from polyclinic.records.base import Features


@final
class PlainClassify(PlainGlobal):
    """Plain models of kind "classify"."""

    linear = "logistic regression"

    def grow(self, target: ClassTarget, head: Global, features: Features, rows: Inner, seed: int) -> Boosted:
        """Trees that vote for classes."""
        codes = Codes.learn(features, rows.train)
        truth = np.where(target.known, target.truth, np.nan)
        return Boosted(codes, classify(lesson_of(codes, features, rows, truth), len(target.classes), seed).log_odds)
