"""One of several classes, for new patients: a chance for each, and the classes that are plausible."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from polyclinic.answers.classes import ClassAnswer
from polyclinic.delivery.figures.calibrated import PredictedShares
from polyclinic.delivery.figures.chances import calibration_figure, in_a_thousand, roc_by_class, separation
from polyclinic.delivery.figures.confusions import confusion_matrix
from polyclinic.delivery.forms.base import Columns, Delivery
from polyclinic.delivery.markup import EMPTY, Element
from polyclinic.evidence.conformal import class_sets
from polyclinic.evidence.records import TargetEvidence


class ClassDelivery(Delivery):
    """Delivers a ``ClassAnswer``."""

    words = ("binary", "multiclass")

    def columns(self, answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> Columns:
        """Chances, and the set that holds the true class as often as ``confidence`` says."""
        chances = {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.classes)}
        classes = np.asarray(answer.classes)
        sets = _plausible(answer, tune, confidence)
        return {**chances, "plausible": [" | ".join(classes[chosen]) for chosen in sets]}

    def torn(self, answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> Bool[np.ndarray, " sample"]:
        """Where not exactly one class is plausible."""
        return np.asarray(_plausible(answer, tune, confidence).sum(axis=1) != 1)

    def figures(self, target: TargetEvidence, answer: ClassAnswer | None) -> Iterator[Element]:
        """Separation, calibration with all predictions of two classes, and the operating point as counts."""
        two = answer is not None and len(answer.classes) == 2
        yield from separation(target)
        yield from roc_by_class(target, self.class_words)
        yield from calibration_figure(target, _shares(target, answer) if answer is not None and two else None)
        yield from in_a_thousand(target)

    def confusions(self, target: TargetEvidence) -> Element:
        """Of several classes, which is taken for which; of two, the operating point says it."""
        several = target.confusion and len(target.classes) > 2
        return confusion_matrix(target.confusion, target.classes) if several else EMPTY


def _plausible(answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> Bool[np.ndarray, "sample klass"]:
    return class_sets(tune.probabilities, tune.truth, answer.probabilities, confidence)


def _shares(target: TargetEvidence, answer: ClassAnswer) -> PredictedShares:
    known = ~np.isnan(answer.truth)
    thresholds = target.operating_point.thresholds if target.operating_point else ()
    cuts = tuple(threshold for threshold in thresholds if threshold is not None)
    return PredictedShares(answer.probabilities[known, 1], answer.truth[known] == 1, cuts)
