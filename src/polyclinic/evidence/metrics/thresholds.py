"""Decisions at a threshold: each fold is judged at that of its own tune rows, new patients get one of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from polyclinic.evidence.metrics.operating_point import least_sensitivity, least_specificity, youden_threshold
from polyclinic.evidence.records import DIGITS
from polyclinic.study.threshold import YOUDEN, Aim, ThresholdRule

HALF = 0.5
ON_TUNE = "chosen on tune rows of each fold"
RULE = f"highest sensitivity + specificity (Youden), {ON_TUNE}"
RULE_HALF = "one half, because there were no tune rows with both answers to choose on"
RULE_GIVEN = "given by the study"
_LEFT_OPEN = "; one half where those did not hold both answers"
RULE_MIXED = RULE + _LEFT_OPEN


def reached(
    probability: Float[np.ndarray, " sample"], threshold: float | Float[np.ndarray, " sample"]
) -> Bool[np.ndarray, " sample"]:
    """Where the answer is yes: at the threshold itself too."""
    return np.asarray(probability >= threshold)


@dataclass(frozen=True)
class Thresholds:
    """The threshold of each fold, the one for new patients, and how they came about.

    Attributes:
        by_fold: Learned on the tune rows of that fold alone: its test rows are judged at it.
        rule: How, in words.
        delivered: Learned on the tune rows of all folds: new patients are answered at it.
        chosen_for: The rule as a study writes it; "" where it is one half for want of tune rows.
    """

    by_fold: Mapping[int, float]
    rule: str
    delivered: float
    chosen_for: str | float

    def decide(
        self, probability: Float[np.ndarray, " sample"], fold: Int[np.ndarray, " sample"]
    ) -> Float[np.ndarray, " sample"]:
        """1 where the chance reaches the threshold of its fold, else 0."""
        threshold = np.array([self.by_fold[int(number)] for number in fold])
        return reached(probability, threshold).astype(np.float64)


@dataclass(frozen=True)
class ScoredSamples:
    """Chances, truth and fold of some samples."""

    probability: Float[np.ndarray, " sample"]
    truth: Float[np.ndarray, " sample"]
    fold: Int[np.ndarray, " sample"]


def choose(tune: ScoredSamples | None, folds: Int[np.ndarray, " fold"], wanted: ThresholdRule = YOUDEN) -> Thresholds:
    """A threshold for each of ``folds`` from the tune rows of that fold, and one from all tune rows.

    One half where they do not tell; what the study gives is taken as it is.
    """
    if wanted.aim is Aim.GIVEN:
        level = wanted.level
        return Thresholds({int(fold): level for fold in folds}, RULE_GIVEN, level, wanted.written)
    if tune is None:
        return Thresholds({int(fold): HALF for fold in folds}, RULE_HALF, HALF, "")
    found = {
        int(fold): learn(tune.truth[tune.fold == fold], tune.probability[tune.fold == fold], wanted) for fold in folds
    }
    decisive = [np.isfinite(value) for value in found.values()]
    words = in_words(wanted)
    rule = words if all(decisive) else words + _LEFT_OPEN if any(decisive) else RULE_HALF
    whole = learn(tune.truth, tune.probability, wanted)
    by_fold = {fold: value if np.isfinite(value) else HALF for fold, value in found.items()}
    return Thresholds(by_fold, rule, _as_stated(whole), wanted.written if np.isfinite(whole) else "")


def learn(
    truth: Float[np.ndarray, " sample"], probability: Float[np.ndarray, " sample"], wanted: ThresholdRule
) -> float:
    """The threshold that these samples ask for; NaN where one answer only is among them."""
    match wanted.aim:
        case Aim.SENSITIVITY:
            return least_sensitivity(truth, probability, wanted.level)
        case Aim.SPECIFICITY:
            return least_specificity(truth, probability, wanted.level)
        case Aim.GIVEN:
            return wanted.level
        case Aim.YOUDEN:
            return youden_threshold(truth, probability)


def in_words(wanted: ThresholdRule) -> str:
    """The rule as it stands in the evidence."""
    match wanted.aim:
        case Aim.YOUDEN:
            return RULE
        case Aim.GIVEN:
            return RULE_GIVEN
        case Aim.SENSITIVITY:
            return f"highest threshold with a sensitivity of {wanted.level:g} or more, {ON_TUNE}"
        case Aim.SPECIFICITY:
            return f"lowest threshold with a specificity of {wanted.level:g} or more, {ON_TUNE}"


def _as_stated(threshold: float) -> float:
    """With the digits of the document, so that what is stated is what is applied; one half where there is none."""
    return float(f"{threshold:.{DIGITS}g}") if np.isfinite(threshold) else HALF
