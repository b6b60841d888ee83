"""For whom the answers are good: the same figures for some of the patients."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from polyclinic.evidence.folds import assess
from polyclinic.evidence.forms.base import Judge, Judged
from polyclinic.evidence.intervals import estimate
from polyclinic.evidence.records import Subgroup
from polyclinic.predictions.record import Samples

MOST = 12
"""Subgroups of one column that are shown, the largest ones; more would be read as noise."""
UNKNOWN = "not known"


@dataclass(frozen=True)
class Level:
    """One value of a column and the samples that have it."""

    column: str
    value: str
    members: Int[np.ndarray, " row"]


def levels(samples: Samples) -> tuple[Level, ...]:
    """Every subgroup of the site and of the strata columns; a column with one value only has none."""
    columns: dict[str, np.ndarray] = {} if samples.site is None else {"site": samples.site}
    columns |= {name: values for name, values in samples.strata.items() if name not in columns}
    return tuple(level for name, values in columns.items() for level in _levels_of(name, values))


def judge_subgroups(form: Judge, judged: Judged, found: tuple[Level, ...]) -> tuple[Subgroup, ...]:
    """The headline figures of each subgroup, on the same draws of patients."""
    metrics = [form.metric(name) for name in form.headline]
    subgroups = []
    for level in found:
        case, layout = judged.case.take(level.members), judged.layout.take(level.members)
        figures = assess(metrics, case, layout, judged.draws)
        estimates = {name: estimate(sampled, judged.confidence) for name, sampled in figures.items()}
        subgroups.append(Subgroup(level.column, level.value, layout.rows, estimates))
    return tuple(subgroups)


def multiplicity_note(subgroups: tuple[Subgroup, ...], figures: int, confidence: float, samples: Samples) -> str:
    """How many intervals were looked at, and how many of them are wrong by chance alone."""
    if not subgroups:
        return "No subgroups: name columns under [cohort] strata, or a site."
    looked = len(subgroups) * figures
    note = (
        f"{len(subgroups)} subgroups with {figures} figures each make {looked} intervals. At {confidence:.0%} "
        f"confidence about {looked * (1 - confidence):.0f} of them miss the true figure by chance alone: read a "
        "difference between subgroups as a question, not as a finding."
    )
    columns = dict(samples.strata) | ({} if samples.site is None else {"site": samples.site})
    sizes = {name: len({_word(value) for value in values.tolist()}) for name, values in columns.items()}
    many = [name for name, number in sizes.items() if number > MOST]
    shortened = "".join(f' Of column "{name}" only the {MOST} largest subgroups are shown.' for name in many)
    return note + shortened


def _levels_of(column: str, values: Shaped[np.ndarray, " sample"]) -> list[Level]:
    words = np.array([_word(value) for value in values.tolist()])
    names, number, counts = np.unique(words, return_inverse=True, return_counts=True)
    if len(names) < 2:
        return []
    largest = np.argsort(-counts, kind="stable")[:MOST]
    ordered = sorted(largest.tolist(), key=lambda k: _place(str(names[k])))
    return [Level(column, str(names[k]), np.flatnonzero(number == k)) for k in ordered]


def _word(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return UNKNOWN
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _place(name: str) -> tuple[bool, float, str]:
    """Numbers by size, then words by letter, then those not known."""
    try:
        return (False, float(name), "")
    except ValueError:
        return (name == UNKNOWN, float("inf"), name)
