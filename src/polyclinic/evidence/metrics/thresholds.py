"""Decisions at a threshold that each fold chose on its own tune rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from polyclinic.evidence.metrics.operating_point import youden_threshold

HALF = 0.5
RULE = "highest sensitivity + specificity (Youden), chosen on tune rows of each fold"
RULE_HALF = "one half, because there were no tune rows with both answers to choose on"
RULE_MIXED = RULE + "; one half where those did not hold both answers"


@dataclass(frozen=True)
class Thresholds:
    """The threshold of each fold, and how it came about."""

    by_fold: Mapping[int, float]
    rule: str

    def decide(
        self, probability: Float[np.ndarray, " sample"], fold: Int[np.ndarray, " sample"]
    ) -> Float[np.ndarray, " sample"]:
        """1 where the chance reaches the threshold of its fold, else 0."""
        threshold = np.array([self.by_fold[int(number)] for number in fold])
        return (probability >= threshold).astype(np.float64)


@dataclass(frozen=True)
class ScoredSamples:
    """Chances, truth and fold of some samples."""

    probability: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]
    fold: Int[np.ndarray, " sample"]


def choose(tune: ScoredSamples | None, folds: Int[np.ndarray, " fold"]) -> Thresholds:
    """A threshold for each of ``folds`` from the tune rows of that fold; one half where they do not tell."""
    if tune is None:
        return Thresholds({int(fold): HALF for fold in folds}, RULE_HALF)
    found = {
        int(fold): youden_threshold(tune.truth[tune.fold == fold], tune.probability[tune.fold == fold])
        for fold in folds
    }
    decisive = [np.isfinite(value) for value in found.values()]
    rule = RULE if all(decisive) else RULE_MIXED if any(decisive) else RULE_HALF
    return Thresholds({fold: value if np.isfinite(value) else HALF for fold, value in found.items()}, rule)
