"""Several yes-or-no labels at once, for new patients: a chance for each."""

from polyclinic.answers.labels import LabelsAnswer
from polyclinic.delivery.figures.chances import ClassWords
from polyclinic.delivery.forms.base import Columns, Delivery
from polyclinic.translations.phrase import Phrase


class LabelsDelivery(Delivery):
    """Delivers a ``LabelsAnswer``."""

    words = ("multilabel",)
    class_words = ClassWords(heading=Phrase("By label"), name=Phrase("Label"))
    listed = True

    def columns(self, answer: LabelsAnswer, tune: LabelsAnswer, confidence: float) -> Columns:
        """Chances."""
        return {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.labels)}
