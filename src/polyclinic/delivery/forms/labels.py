"""Several yes-or-no labels at once, for new patients: a chance for each."""

from collections.abc import Mapping

import numpy as np

from polyclinic.answers.labels import LabelsAnswer
from polyclinic.delivery.figures.chances import ClassWords
from polyclinic.delivery.figures.counted import found_by_label
from polyclinic.delivery.forms.base import AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.numbers import NOTHING, chance
from polyclinic.evidence.metrics.thresholds import reached
from polyclinic.evidence.records import Mistake, TargetEvidence
from polyclinic.translations.phrase import Phrase


class LabelsDelivery(Delivery):
    """Delivers a ``LabelsAnswer``."""

    words = ("multilabel",)
    class_words = ClassWords(heading=Phrase("By label"), name=Phrase("Label"))
    listed = True

    def columns(self, answer: LabelsAnswer, limits: AnswerLimits) -> Columns:
        """Chances, and for each label the decision, 1 or 0, at its threshold, which is the same in every row."""
        columns: dict[str, Column] = {
            f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.labels)
        }
        for k, (name, threshold) in enumerate(self.thresholds(answer, limits).items()):
            columns[f"decision_{name}"] = reached(answer.probabilities[:, k], threshold).astype(np.int64)
            columns[f"threshold_{name}"] = np.full(len(answer), threshold)
        return columns

    def thresholds(self, answer: LabelsAnswer, limits: AnswerLimits) -> Mapping[str, float]:
        """From which probability on each label is answered."""
        tune = limits.tune
        return {
            name: limits.threshold(tune.truth[:, k], tune.probabilities[:, k], name)
            for k, name in enumerate(answer.labels)
        }

    def first(self, target: TargetEvidence) -> Element:
        """Label by label, how many of those with it are found."""
        return found_by_label(target) or super().first(target)

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """Beside the labels that are true and those answered, the one that is furthest off."""
        return *super().mistake_head(unit), Phrase("Furthest off")

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The same of one mistake: how likely that label was said to be, and whether it was there."""
        if mistake.about is None or mistake.chance is None:
            return *super().mistake_cells(mistake), NOTHING
        phrase = "said {chance} {name}; it was there" if mistake.event else "said {chance} {name}; it was not there"
        furthest = Phrase(phrase, chance=chance(mistake.chance), name=mistake.about)
        return *super().mistake_cells(mistake), furthest
