"""Which records are copies: by content where that proves it, else by whole rows, inputs and outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Int, UInt64

from polyclinic.cohort.repeats import Halves, copied, numbered, sharing
from polyclinic.cohort.table import Cohort
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted

_DIGITS = 6
"""Single precision keeps 7 digits: an outcome that was exported once so and once in full is still the same."""

_AS_STRANGERS = 0.5
"""Copies have one outcome, strangers differ by chance; rows that differ half as often as these are nearer to them."""

_FEWEST_DIFFERING = 2
"""A single pair with two outcomes may be a slip of the pen in a copy; a second one makes it a habit of the table."""

Prints = UInt64[np.ndarray, " row"]


@dataclass(frozen=True)
class Content:
    """What the records of one input hold.

    Attributes:
        prints: A hash by row, 0 where absent.
        halves: Gives the two halves of records that strangers may share; None where equal content proves a copy.
    """

    prints: Prints
    halves: Callable[[], Halves | None]


@dataclass(frozen=True)
class Copies:
    """Records that are proven to be copies.

    Attributes:
        prints: Equal and above 0 where rows are copies, by what was compared, such as "record of the input labs".
        findings: Records with more than one outcome.
    """

    prints: Mapping[str, Prints]
    findings: tuple[Finding, ...]


def find_copies(cohort: Cohort, contents: Mapping[str, Content], outcome: pl.DataFrame | None) -> Copies:
    """Look for copies among the records of each input, and among whole rows.

    Pictures, scans and texts of one content are copies. Rows of a table are, if both halves of their columns agree far
    oftener than by chance and the outcome with them; or if all inputs agree and the outcome too, far oftener than it
    does among strangers who share their inputs.

    Args:
        cohort: The patients.
        contents: What the records hold, by input.
        outcome: The columns that hold the outcome; None where it lies in files of its own.
    """
    answer = None if outcome is None else _numbered_answers(outcome)
    prints: dict[str, Prints] = {}
    findings: list[Finding] = []
    for name, content in contents.items():
        proven, alike = _records(content, answer, cohort)
        prints[f"record of the input {name}"] = proven
        findings += [] if answer is None else _two_outcomes(cohort, name, alike, answer)
    if answer is not None:
        told = np.logical_or.reduce([_repeated(proven) for proven in prints.values()])
        prints["row of inputs and outcome"] = _whole_rows(contents, answer, told, cohort)
    return Copies(prints, tuple(findings))


def _records(content: Content, answer: Int[np.ndarray, " row"] | None, cohort: Cohort) -> tuple[Prints, Prints]:
    """Prints of the copies, and of all records that look like copies, whatever the outcome."""
    halves = content.halves() if _repeated(content.prints).any() else None
    if halves is None:
        return content.prints, content.prints
    rows = np.flatnonzero(content.prints)
    mask = copied(halves.take(rows), cohort.patient[rows])
    alike = np.zeros_like(content.prints)
    alike[rows[mask]] = content.prints[rows[mask]]
    if answer is None:
        return alike, alike
    if _differ_as_strangers(alike, answer, cohort):
        return np.zeros_like(alike), np.zeros_like(alike)
    both = numbered(alike, answer).astype(np.uint64) + np.uint64(1)
    return np.where(alike > 0, both, np.uint64(0)), alike


def _differ_as_strangers(alike: Prints, answer: Int[np.ndarray, " row"], cohort: Cohort) -> bool:
    """Whether the outcome of rows that look alike differs about as often as that of strangers."""
    rows = np.flatnonzero(alike)
    patient = np.unique(cohort.patient, return_inverse=True)[1]
    others = sharing(numbered(alike[rows]), patient[rows])
    differing = others - sharing(numbered(alike[rows], answer[rows]), patient[rows])
    by_chance = 1 - sharing(answer, patient)[rows] / max(1, int(patient.max(initial=0)))
    pairs = float(differing.sum()) / 2
    return pairs >= _FEWEST_DIFFERING and pairs >= _AS_STRANGERS * float((others * by_chance).sum()) / 2


def _whole_rows(
    contents: Mapping[str, Content], answer: Int[np.ndarray, " row"], told: Bool[np.ndarray, " row"], cohort: Cohort
) -> Prints:
    """Rows that are copies because the outcome agrees where all inputs do; those that are told already are left out."""
    inputs = numbered(*(content.prints for content in contents.values()))
    rows = np.flatnonzero(np.logical_or.reduce([content.prints > 0 for content in contents.values()]))
    prints = np.zeros(len(answer), dtype=np.uint64)
    mask = copied(Halves(inputs, answer, np.ones_like(answer)).take(rows), cohort.patient[rows]) & ~told[rows]
    prints[rows[mask]] = (numbered(inputs, answer)[rows[mask]] + 1).astype(np.uint64)
    return prints


def _two_outcomes(cohort: Cohort, name: str, prints: Prints, answer: Int[np.ndarray, " row"]) -> list[Finding]:
    """Records that come with different outcomes: one of them may be wrong."""
    record = numbered(prints)
    rows = (prints > 0) & (sharing(record, answer) > 0)
    if not rows.any():
        return []
    rule, found = "a record should have one outcome", counted(len(np.unique(record[rows])), "record")
    remedy = "Find out which outcome is right, or whether these are visits of one patient."
    numbers = tuple(int(row) for row in cohort.row[rows])
    place, name = f"input {name} of {cohort.name}", "two_outcomes"
    return [Finding(name, place, rule, f"several, of the same {found}", remedy, Severity.WARNING, numbers)]


def _numbered_answers(outcome: pl.DataFrame) -> Int[np.ndarray, " row"]:
    rounded = outcome.with_columns(pl.selectors.float().round_sig_figs(_DIGITS))
    return numbered(rounded.hash_rows().to_numpy())


def _repeated(prints: Prints) -> Bool[np.ndarray, " row"]:
    _, place, times = np.unique(prints, return_inverse=True, return_counts=True)
    return np.asarray((prints > 0) & (times[place] > 1))
