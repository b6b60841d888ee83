"""Time to an event that may be censored."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class SurvivalAnswer(Answer):
    """Time to an event that may be censored.

    Attributes:
        unit: Unit of time in the user's words, such as "days", or "".
        risk: Higher = earlier event expected.
        times: Grid on which the curve is given, ascending; may differ from fold to fold.
        survival: Chance of no event up to each time, between 0 and 1, never rising.
        event: 1 = the event was seen at ``time``, 0 = censored then.
        time: Follow-up, above 0.
    """

    form: ClassVar[str] = "survival"
    unit: str
    risk: Float[np.ndarray, " sample"]
    times: Float[np.ndarray, "sample point"]
    survival: Float[np.ndarray, "sample point"]
    event: Float[np.ndarray, " sample"]
    time: Float[np.ndarray, " sample"]
