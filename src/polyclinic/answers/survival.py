"""Time to an event that may be censored."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, cast

import numpy as np
import polars as pl
from jaxtyping import Float

from polyclinic.answers.base import Answer, Constants, floats, numbers
from polyclinic.decoding.survival_curves import average_curves
from polyclinic.study.time_units import year_in

_YEARS = (1, 3, 5)
"""After so many years survival is reported most often, in cancer above all."""


@dataclass(frozen=True)
class SurvivalAnswer(Answer):
    """Time to an event that may be censored.

    Attributes:
        unit: Unit of time in the user's words, such as "days", or "".
        horizons: Times at which the study wants the chance to be event-free; () = after 1, 3 and 5 years, where the
            unit tells how long these are.
        risk: Higher = earlier event expected.
        times: Grid on which the curve is given, ascending; may differ from fold to fold.
        survival: Chance of no event up to each time, between 0 and 1, never rising.
        event: 1 = the event was seen at ``time``, 0 = censored then.
        time: Follow-up, above 0.
    """

    form: ClassVar[str] = "survival"
    unit: str
    horizons: tuple[float, ...] = field(default=(), kw_only=True)
    risk: Float[np.ndarray, " sample"]
    times: Float[np.ndarray, "sample point"]
    survival: Float[np.ndarray, "sample point"]
    event: Float[np.ndarray, " sample"]
    time: Float[np.ndarray, " sample"]

    @staticmethod
    def average(answers: Sequence["SurvivalAnswer"]) -> "SurvivalAnswer":
        """The mean of the risks, and of the curves on a common grid."""
        times, survival = average_curves([(answer.times, answer.survival) for answer in answers])
        risk = np.mean([answer.risk for answer in answers], axis=0)
        return replace(answers[0], risk=risk, times=times, survival=survival)

    @classmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Constant hazards over 100 days; a flawed risk is without end."""
        hazard = rng.uniform(0.005, 0.05, samples)
        time = rng.exponential(1 / hazard) + 1
        times = np.tile(np.linspace(0, 100, 21), (samples, 1))
        risk = np.full(samples, np.inf) if flawed else np.log(hazard)
        event = (time < 100).astype(np.float64)
        return cls("days", risk, times, np.exp(-hazard[:, None] * times), event, np.minimum(time, 100))

    def constants(self) -> Constants:
        """The unit of time, and the times that the study names."""
        return Constants(unit=self.unit, others={"horizons": self.horizons} if self.horizons else {})

    def named_times(self) -> dict[str, float]:
        """Times at which the chance to be event-free is answered, by what they are called: "3 years", "365 days"."""
        if self.horizons:
            return {f"{time:g} {self.unit}".strip(): time for time in self.horizons}
        year = year_in(self.unit)
        return {} if year is None else {f"{n} year{'s' if n > 1 else ''}": n * year for n in _YEARS}

    def columns(self) -> dict[str, pl.Series]:
        """Follow-up, risk, and the curve as two lists."""
        lists = pl.List(pl.Float64)
        return {
            "event": numbers(self.event),
            "time": numbers(self.time),
            "risk": numbers(self.risk),
            "survival_times": pl.Series(self.times.astype(np.float64).tolist(), dtype=lists),
            "survival": pl.Series(self.survival.astype(np.float64).tolist(), dtype=lists),
        }

    @classmethod
    def read(cls, frame: pl.DataFrame, constants: Constants) -> Self:
        """The answer out of its columns."""
        return cls(
            unit=constants.unit,
            horizons=cast(tuple[float, ...], constants.others.get("horizons", ())),
            risk=floats(frame["risk"]),
            times=np.array(frame["survival_times"].to_list(), dtype=np.float64).reshape(len(frame), -1),
            survival=np.array(frame["survival"].to_list(), dtype=np.float64).reshape(len(frame), -1),
            event=floats(frame["event"]),
            time=floats(frame["time"]),
        )
