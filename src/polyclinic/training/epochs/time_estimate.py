"""The cap in minutes: how much time a fit has, and how many epochs fit into it."""

from dataclasses import dataclass
from time import monotonic
from typing import final

from polyclinic.errors import Finding, StudyError

_MARGIN = 0.9


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
    """What a rehearsal measured.

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

    def epochs_in(self, seconds: float) -> int:
        """How many epochs fit into ``seconds``, with a margin.

        Raises:
            StudyError: if not even one does.
        """
        epochs = int(_MARGIN * seconds / self.epoch_s)
        if epochs < 1:
            raise StudyError(too_short(self.epoch_s))
        return epochs


def too_short(epoch_s: float) -> Finding:
    """The finding when the cap leaves no time for one pass over the training rows."""
    return Finding(
        name="cap_too_short",
        place="study.toml [training] minutes",
        rule="every fit needs time for at least one epoch",
        found=f"an epoch takes about {epoch_s:.1f} seconds here, and the cap leaves less for each fit",
        remedy="Raise minutes, set a smaller [model] size, or fewer folds, repeats and members.",
    )
