"""The cap in minutes: how much time a fit has, and how many epochs fit into it, measured again after every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from time import monotonic
from typing import final

from polyclinic.errors import Finding, Severity

_KEPT_BACK = 0.03
"""Share of the time left that no epoch is planned for: epochs differ by as much. The less is left, the less it is."""
_SPARE = 0.25
"""Epochs that no time is planned for either: the last one may take so much longer before it has to be cut."""
_REMEMBERED = 3
"""Epochs whose mean is the pace: one alone says little, and beside other programs the pace changes. A round number."""


def share_minutes(minutes: float | None, spent_s: float, fits_left: int) -> float | None:
    """Seconds that the next fit may take when the rest of the study's ``minutes`` is shared evenly; None = no cap.

    Args:
        minutes: The study's cap on all training together.
        spent_s: Seconds of training so far.
        fits_left: Fits still to be done, this one included.
    """
    return None if minutes is None else max(0.0, minutes * 60 - spent_s) / fits_left


@final
class Clock:
    """Counts the seconds of one fit, those before an interruption included."""

    def __init__(self, cap_s: float | None, spent_s: float = 0.0) -> None:
        self._cap_s = cap_s
        self._before_s = spent_s
        self._start = monotonic()

    @property
    def capped(self) -> bool:
        """Whether there is a cap at all."""
        return self._cap_s is not None

    def spent_s(self) -> float:
        """Seconds so far."""
        return self._before_s + monotonic() - self._start

    def left_s(self) -> float:
        """Seconds that are left; endless without a cap."""
        return float("inf") if self._cap_s is None else self._cap_s - self.spent_s()


@dataclass(frozen=True)
class Pace:
    """How fast a fit goes.

    Attributes:
        step_s: Seconds of one step.
        steps: Steps of one epoch.
        judge_s: Seconds to judge the tune rows, and to keep the state.
    """

    step_s: float
    steps: int
    judge_s: float

    @property
    def epoch_s(self) -> float:
        """Seconds of one epoch."""
        return self.step_s * self.steps + self.judge_s

    def epochs_in(self, seconds: float, planned: int = 1) -> int:
        """How many more epochs fit into ``seconds``.

        Args:
            seconds: What is left.
            planned: How many more were planned so far: while they fit, the margin is what they may use up.
        """
        fitting = seconds / self.epoch_s
        least = planned if planned <= fitting else min(1, int(fitting))
        return max(int((1 - _KEPT_BACK) * fitting - _SPARE), least)


@final
class Pacer:
    """The pace of a fit under way: that of a rehearsal until an epoch was measured, then that of the last epochs."""

    def __init__(self, rehearsed: Pace) -> None:
        self.pace = rehearsed
        self._measured: list[Pace] = []

    def measured(self, pace: Pace) -> None:
        """An epoch was done."""
        self._measured = [*self._measured, pace][-_REMEMBERED:]
        self.pace = Pace(
            fmean(one.step_s for one in self._measured),
            pace.steps,
            fmean(one.judge_s for one in self._measured),
        )


def shortened(fits: Sequence[tuple[int, int]]) -> list[Finding]:
    """The finding that a cap was too short for the planned epochs, over all fits; none where it was not.

    Args:
        fits: Of each fit: epochs that the recipe asks for, and those that there is time for.
    """
    cut = [(planned, fitting) for planned, fitting in fits if fitting < planned]
    if not cut:
        return []
    numbers = (sorted({fit[place] for fit in cut}) for place in (0, 1))
    words = [f"{few[0]}" if len(few) == 1 else f"{few[0]} to {few[-1]}" for few in numbers]
    which = "" if len(fits) == 1 else f", in {len(cut)} of {len(fits)} fits"
    return [
        Finding(
            name="cap_shortens",
            place="study.toml [training] minutes",
            rule="the cap should leave time for the planned epochs",
            found=f"of {words[0]} planned epochs it has time for {words[1]}{which}; longer may be better",
            remedy="Raise minutes, set a smaller [model] size, or fewer folds, repeats and members.",
            severity=Severity.WARNING,
        )
    ]


def too_short(epoch_s: float) -> Finding:
    """The finding when the cap leaves no time for one pass over the training rows."""
    return Finding(
        name="cap_too_short",
        place="study.toml [training] minutes",
        rule="every fit needs time for at least one epoch",
        found=f"an epoch takes about {epoch_s:.1f} seconds here, and the cap leaves less for each fit",
        remedy="Raise minutes, set a smaller [model] size, or fewer folds, repeats and members.",
    )
