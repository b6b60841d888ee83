"""Several yes-or-no labels at once, for new patients: a chance for each."""

from polyclinic.answers.labels import LabelsAnswer
from polyclinic.delivery.forms.base import Columns, Delivery


class LabelsDelivery(Delivery):
    """Delivers a ``LabelsAnswer``."""

    words = ("multilabel",)

    def columns(self, answer: LabelsAnswer, tune: LabelsAnswer, confidence: float) -> Columns:
        """Chances."""
        return {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.labels)}
