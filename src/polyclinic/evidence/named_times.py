"""Predicted and observed survival at the times that a clinic asks for, as JSON among the curves of the evidence."""

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from polyclinic.evidence.records import Estimate, Number, TargetEvidence, plain

NAMED_TIMES = "at_named_times"
"""Where it stands among the curves."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class SurvivalAt:
    """Predicted and observed survival at a time that the study names.

    Attributes:
        name: Of the time, such as "3 years".
        time: In the unit of the target.
        predicted: Mean predicted chance to be event-free; None where patients were not followed that long.
        observed: Kaplan-Meier share of the tested patients, with its limits.
        at_risk: Tested patients still observed without the event.
        auc: How well the risk tells those with the event by then from those without.
        brier_score: Mean squared distance of the predicted chance from what happened.
    """

    name: str
    time: Number
    predicted: Number
    observed: Estimate
    at_risk: int
    auc: Estimate
    brier_score: Estimate


def as_shape(found: Sequence[SurvivalAt]) -> dict[str, Any]:
    """The figures as a curve of the evidence; none where no time is named."""
    return {NAMED_TIMES: plain(found)} if found else {}


def read_named_times(target: TargetEvidence) -> tuple[SurvivalAt, ...]:
    """The figures out of the evidence; none where it has none."""
    return TypeAdapter(tuple[SurvivalAt, ...]).validate_python(target.curves.get(NAMED_TIMES, ()))
