"""Time to an event, for new patients: a risk, times by which the event has come, and the curve."""

import numpy as np
from jaxtyping import Float

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.delivery.forms.base import Column, Columns, Delivery


class SurvivalDelivery(Delivery):
    """Delivers a ``SurvivalAnswer``."""

    def columns(self, answer: SurvivalAnswer, tune: SurvivalAnswer, confidence: float) -> Columns:
        """Risk, the median time with the times between which the event comes as often as ``confidence`` says."""
        tail = (1 - confidence) / 2
        columns: dict[str, Column] = {"risk": answer.risk}
        for word, level in (("low", 1 - tail), ("median", 0.5), ("high", tail)):
            columns[word] = _time_until(answer, level)
        columns["survival_times"] = [list(map(float, row)) for row in answer.times]
        columns["survival"] = [list(map(float, row)) for row in answer.survival]
        return columns


def _time_until(answer: SurvivalAnswer, level: float) -> Float[np.ndarray, " sample"]:
    """When the curve first falls to ``level``; NaN where it does not within its grid."""
    below = answer.survival <= level
    first = below.argmax(axis=1)
    return np.where(below.any(axis=1), answer.times[np.arange(len(first)), first], np.nan)
