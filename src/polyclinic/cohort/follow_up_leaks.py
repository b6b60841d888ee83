"""Follow-up where it must not be: among the inputs, or cut into intervals that are taken for patients."""

from collections.abc import Iterator, Sequence

import numpy as np

from polyclinic.cohort.follow_up import follow_up_of, known_afterwards, may_be_its_time, pair_of, start_of
from polyclinic.cohort.outcome_coding import is_by_then, is_event_name
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten

_PAIR = 2
"""An event and its time."""


def follow_up_findings(cohort: Cohort, inputs: Sequence[str], outcomes: Sequence[tuple[str, ...]]) -> Iterator[Finding]:
    """What the follow-up of patients would give away, or is cut into.

    Args:
        cohort: The patients.
        inputs: Columns that inputs read.
        outcomes: Columns of each outcome.
    """
    asked = [name for group in outcomes for name in group]
    late = {name: why for name, why in known_afterwards(cohort.frame, asked).items() if name in inputs}
    if late:
        yield _as_input(cohort, late, asked)
    for group in outcomes:
        if len(group) > 1:
            yield from (
                _intervals(cohort, start, stop) for stop in group if (start := _start(cohort, stop)) is not None
            )
            yield from _repeated(cohort, group)
        elif group and (maybe := [name for name in may_be_its_time(cohort.frame, group[0]) if name in inputs]):
            yield _as_input(cohort, dict.fromkeys(maybe, f"perhaps the follow-up time of {group[0]}"), ())


def _as_input(cohort: Cohort, late: dict[str, str], asked: Sequence[str]) -> Finding:
    """Refused where an event is asked for; where it is not, such columns may lie before the question."""
    of_events = any(is_event_name(n) or is_by_then(n) or follow_up_of(cohort.frame, n) is not None for n in asked)
    listed = shorten((f"{name} ({why})" for name, why in late.items()), 6)
    return Finding(
        name="follow_up_as_input",
        place=cohort.name,
        rule="no input may tell how long a patient was followed: who lives long is watched for long (immortal time), "
        "and who was censored had no event so far",
        found=f"it looks so: {listed}",
        remedy='Leave them out, or ask when the event happens (kind = "survive" with event and time); '
        "or accept follow_up_as_input with the reason.",
        severity=Severity.REFUSED if of_events else Severity.WARNING,
    )


def _start(cohort: Cohort, stop: str) -> str | None:
    return start_of(cohort.frame, stop) if cohort.frame[stop].dtype.is_numeric() else None


def _repeated(cohort: Cohort, group: Sequence[str]) -> Iterator[Finding]:
    """Told where rows of a patient repeat one event and its time, as where each visit has a row."""
    if len(group) > _PAIR or pair_of(cohort.frame, *group) is None:
        return
    follow_up = np.unique(cohort.frame.select(group).hash_rows().to_numpy(), return_inverse=True)[1]
    who = np.unique(cohort.patient, return_inverse=True)[1]
    pairs, rows_each = np.unique(np.column_stack([who, follow_up]), axis=0, return_counts=True)
    several = len(np.unique(pairs[rows_each > 1, 0]))
    if several:
        yield Finding(
            name="repeated_follow_up",
            place=f"{cohort.name} columns {shorten(group)}",
            rule="a patient has one follow-up: patients with more rows weigh more, in training and in every figure",
            found=f"{counted(several, 'patient')} of {len(np.unique(who))} have several rows with the same event and "
            "time",
            remedy="Keep one row per patient, that of the moment of prediction, unless every row is meant to count.",
            severity=Severity.WARNING if len(np.unique(rows_each)) > 1 else Severity.NOTE,
        )


def _intervals(cohort: Cohort, start: str, stop: str) -> Finding:
    return Finding(
        name="start_stop_rows",
        place=f'{cohort.name} columns "{start}" and "{stop}"',
        rule="a row must follow a patient from the moment of prediction to the event or the last contact",
        found="rows look like intervals of follow-up, of which a patient may have several",
        remedy="Make one row per patient: what was known at the start, the time to the last stop, and whether the "
        "event was seen then. Entry times and values that change are not modelled. "
        "Or accept start_stop_rows with the reason.",
        severity=Severity.REFUSED,
    )
