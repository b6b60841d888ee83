"""A number, for new patients: with an interval."""

from polyclinic.answers.value import ValueAnswer
from polyclinic.delivery.forms.base import Columns, Delivery
from polyclinic.evidence.conformal import half_width


class ValueDelivery(Delivery):
    """Delivers a ``ValueAnswer``."""

    def columns(self, answer: ValueAnswer, tune: ValueAnswer, confidence: float) -> Columns:
        """The number and the interval that holds the true one as often as ``confidence`` says."""
        half = half_width(tune.value, tune.truth, confidence)
        return {"value": answer.value, "low": answer.value - half, "high": answer.value + half}
