"""Values of new patients that no network was trained on: a reason to abstain, by column and never by the value."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten
from polyclinic.records.base import Oddity, OddValues

_NAMED = 6
"""Columns in one reason or message; a round number."""


def shared(fits: Sequence[Sequence[OddValues]]) -> tuple[OddValues, ...]:
    """The values that are odd to all of several networks: what one of them was trained on is not new to the model.

    An impossible value is told as such only, though it lies outside the range too.
    """
    by_fit = [{(odd.oddity, odd.column): odd.rows for odd in fit} for fit in fits]
    found = {key: np.logical_and.reduce([fit[key] for fit in by_fit if key in fit]) for key in by_fit[0]}
    for (oddity, column), rows in found.items():
        if oddity is Oddity.OUTSIDE and (Oddity.IMPOSSIBLE, column) in found:
            found[oddity, column] = rows & ~found[Oddity.IMPOSSIBLE, column]
    return tuple(OddValues(column, oddity, rows) for (oddity, column), rows in found.items() if rows.any())


def reasons_of(odd: Sequence[OddValues], rows: int) -> list[list[str]]:
    """Of each row, its reasons to abstain: what is odd, and in which columns."""
    return [
        [f"{oddity}: {shorten(columns, _NAMED)}" for oddity in Oddity if (columns := _columns(odd, oddity, row))]
        for row in range(rows)
    ]


def _columns(odd: Sequence[OddValues], oddity: Oddity, row: int) -> list[str]:
    return [one.column for one in odd if one.oddity is oddity and one.rows[row]]


def summed_up(odd: Sequence[OddValues], table: str, row: Int[np.ndarray, " sample"]) -> list[Finding]:
    """How many rows have such values, by column. Words that are rare or new are told where they are read.

    Args:
        odd: What is odd to all networks.
        table: The user's word for the table.
        row: Of each sample, its row there.
    """
    rules = {
        Oddity.IMPOSSIBLE: ("impossible_values", "values must be possible in a living patient"),
        Oddity.OUTSIDE: ("outside_training", "values should lie within the range of the training"),
    }
    findings = []
    for oddity, (name, rule) in rules.items():
        columns = [one for one in odd if one.oddity is oddity]
        if columns:
            found = [f"{one.column} in {counted(int(one.rows.sum()), 'row')}" for one in columns]
            rows = tuple(int(number) for number in row[np.logical_or.reduce([one.rows for one in columns])])
            remedy = "Look at unit and cells; these answers come with a reason to abstain."
            told = f"not so: {shorten(found, _NAMED)}"
            findings.append(Finding(name, table, rule, told, remedy, Severity.WARNING, rows))
    return findings
