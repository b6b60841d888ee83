"""How an expected number of events is delivered."""

import numpy as np
from count_answer import CountAnswer
from scipy.stats import poisson

from polyclinic.delivery.forms.base import AnswerLimits, Columns, Delivery


class CountDelivery(Delivery):
    """Delivers a ``CountAnswer``; in the report its curves and mistakes are shown as those of any form."""

    def columns(self, answer: CountAnswer, limits: AnswerLimits) -> Columns:
        """The expected number, and as many as there may plausibly be."""
        low, high = poisson.interval(limits.confidence, answer.rate)
        return {"expected": answer.rate, "low": np.asarray(low), "high": np.asarray(high)}
