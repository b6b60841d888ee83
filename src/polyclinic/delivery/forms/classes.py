"""One of several classes, for new patients: a chance for each, and the classes that are plausible."""

import numpy as np
from jaxtyping import Bool

from polyclinic.answers.classes import ClassAnswer
from polyclinic.delivery.forms.base import Columns, Delivery
from polyclinic.evidence.conformal import class_sets


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


def _plausible(answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> Bool[np.ndarray, "sample klass"]:
    return class_sets(tune.probabilities, tune.truth, answer.probabilities, confidence)
