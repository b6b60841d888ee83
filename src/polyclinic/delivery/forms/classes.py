"""One of several classes, for new patients: a chance for each, and the classes that are plausible."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool

from polyclinic.answers.classes import ClassAnswer
from polyclinic.delivery.figures.calibrated import PredictedShares
from polyclinic.delivery.figures.chances import calibration_figure, roc_by_class, separation
from polyclinic.delivery.figures.confusions import confusion_matrix
from polyclinic.delivery.figures.counted import right_answers
from polyclinic.delivery.forms.base import AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import EMPTY, Element
from polyclinic.delivery.numbers import chance
from polyclinic.evidence.conformal import class_sets
from polyclinic.evidence.forms.classes import BINARY
from polyclinic.evidence.metrics.thresholds import reached
from polyclinic.evidence.records import Mistake, TargetEvidence
from polyclinic.translations.phrase import Phrase


class ClassDelivery(Delivery):
    """Delivers a ``ClassAnswer``."""

    words = ("binary", "multiclass")

    def columns(self, answer: ClassAnswer, limits: AnswerLimits) -> Columns:
        """Chances, the decision, and the set that holds the true class as often as ``limits`` say.

        Of two classes the second is the decision from the threshold on, which is the same in every row; of more classes
        the most probable one.
        """
        chances = {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.classes)}
        classes = np.asarray(answer.classes)
        decided: dict[str, Column] = {"decision": classes[answer.probabilities.argmax(axis=1)].tolist()}
        for positive, threshold in self.thresholds(answer, limits).items():
            yes = reached(chances[f"probability_{positive}"], threshold)
            decided = {"decision": classes[yes.astype(int)].tolist(), "threshold": np.full(len(answer), threshold)}
        sets = _plausible(answer, limits)
        return {**chances, **decided, "plausible": [" | ".join(classes[chosen]) for chosen in sets]}

    def thresholds(self, answer: ClassAnswer, limits: AnswerLimits) -> Mapping[str, float]:
        """Of two classes, from which probability on the second one is answered."""
        if len(answer.classes) != BINARY:
            return {}
        return {answer.classes[1]: limits.threshold(limits.tune.truth, limits.tune.probabilities[:, 1])}

    def torn(self, answer: ClassAnswer, limits: AnswerLimits) -> Bool[np.ndarray, " sample"]:
        """Where not exactly one class is plausible."""
        return np.asarray(_plausible(answer, limits).sum(axis=1) != 1)

    def figures(self, target: TargetEvidence, answer: ClassAnswer | None) -> Iterator[Element]:
        """Separation, and calibration with all predictions of two classes."""
        two = answer is not None and len(answer.classes) == 2
        yield from separation(target)
        yield from roc_by_class(target, self.class_words)
        yield from calibration_figure(target, _shares(target, answer) if answer is not None and two else None)

    def first(self, target: TargetEvidence) -> Element:
        """Of two classes who is found, missed and alarmed for nothing; of several who gets the right one."""
        return right_answers(target) if len(target.classes) > 2 else super().first(target)

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The true class, and the answered one with its chance."""
        said = self.words_of(mistake.answer)
        if mistake.chance is not None:
            said = Phrase("{chance} {name}", chance=chance(mistake.chance), name=said)
        return self.words_of(mistake.truth), said

    def confusions(self, target: TargetEvidence) -> Element:
        """Of several classes, which is taken for which; of two, the operating point says it."""
        several = target.confusion and len(target.classes) > 2
        return confusion_matrix(target.confusion, target.classes) if several else EMPTY


def _plausible(answer: ClassAnswer, limits: AnswerLimits) -> Bool[np.ndarray, "sample klass"]:
    return class_sets(limits.tune.probabilities, limits.tune.truth, answer.probabilities, limits.confidence)


def _shares(target: TargetEvidence, answer: ClassAnswer) -> PredictedShares:
    known = ~np.isnan(answer.truth)
    threshold = target.operating_point.delivered if target.operating_point else None
    return PredictedShares(answer.probabilities[known, 1], answer.truth[known] == 1, threshold)
