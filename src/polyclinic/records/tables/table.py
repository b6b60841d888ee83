"""Columns of the table as read, numbers and categories: what is doubtful about them, and what they look like. No torch.

Whether a column holds nothing, or a name in every row, is asked while a study learns; of new patients it is asked
whether their values are like those that were learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from polyclinic.cohort.repeats import Halves
from polyclinic.errors import Finding, Severity
from polyclinic.records.absent import absent_rows
from polyclinic.records.base import Features, Oddity, OddValues, Picture, Records, bar_table
from polyclinic.records.tables.scaling import CategoryPlan, unseen
from polyclinic.records.tables.training_range import TrainingRange
from polyclinic.records.tables.variables import Categories, row_halves, row_hashes

MANY_LEVELS = 24
"""Up to here a level has a direction of its own, beyond levels are embedded; a round number."""
_DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class TableRecords(Records):
    """The columns as read, all rows.

    Attributes:
        name: The user's word for the input.
        table: The user's word for the table.
        numeric: Names of the columns of numbers.
        numbers: Their values, NaN where missing.
        categories: The other columns, by name.
        required: Whether every patient must have at least one value.
        learned: The levels that a fitted kind knows; None while a study learns.
        ranges: Of each column of numbers, what a fitted kind was trained on.
    """

    name: str
    table: str
    numeric: tuple[str, ...]
    numbers: Float[np.ndarray, "row number"]
    categories: Mapping[str, Categories]
    required: bool = True
    learned: tuple[CategoryPlan, ...] | None = None
    ranges: tuple[TrainingRange, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def present(self) -> Bool[np.ndarray, " sample"]:
        """Rows with at least one value."""
        known = [(~np.isnan(self.numbers)).any(1)] + [column.codes >= 0 for column in self.categories.values()]
        return np.asarray(np.logical_or.reduce(known))

    def check(self) -> list[Finding]:
        """Columns that hold nothing, the same everywhere, or a new word in nearly every row.

        Of new patients: levels never learned, numbers that seem to be in another unit.
        """
        findings = self._uninformative()
        if self.required:
            findings += absent_rows(self.name, self.table, ~self.present)
        for plan in self.learned or ():
            rows = np.flatnonzero(unseen(self.categories[plan.name], plan))
            findings += [_new_level(self.table, plan, rows)] if len(rows) else []
        for known, values in zip(self.ranges, self.numbers.T, strict=True) if self.ranges else ():
            found = known.other_unit(values)
            findings += [_other_unit(self.table, known.name, found)] if found else []
        return findings

    def odd_values(self) -> list[OddValues]:
        """Numbers that are impossible or beyond those of training, and words that are none of the levels."""
        numbers = list(zip(self.ranges, self.numbers.T, strict=True)) if self.ranges else []
        return [
            *(OddValues(known.name, Oddity.IMPOSSIBLE, known.impossible(values)) for known, values in numbers),
            *(OddValues(known.name, Oddity.OUTSIDE, known.outside(values)) for known, values in numbers),
            *(
                OddValues(plan.name, Oddity.UNSEEN, unseen(self.categories[plan.name], plan))
                for plan in self.learned or ()
            ),
        ]

    def summarise(self) -> Features:
        """Numbers as they are, categories as codes in the order of their words."""
        codes = [np.where(c.codes < 0, np.nan, c.codes.astype(float)) for c in self.categories.values()]
        matrix = np.column_stack([self.numbers, *codes])
        categorical = (False,) * len(self.numeric) + (True,) * len(codes)
        return Features(matrix, (*self.numeric, *self.categories), categorical)

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """A hash of the row's content, 0 where nothing is known."""
        return row_hashes(self.numbers, tuple(self.categories.values()))

    def halves(self) -> Halves:
        """Two halves of the row: strangers may share a row of few or common values."""
        return row_halves(self.numbers, tuple(self.categories.values()))

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The row as a table, with a bar per column where an explanation is given; a dash where a value is missing."""
        numbers = [_DASH if np.isnan(value) else f"{value:.4g}" for value in self.numbers[position]]
        codes = [(column.words, int(column.codes[position])) for column in self.categories.values()]
        words = [_DASH if code < 0 else words[code] for words, code in codes]
        return bar_table(self.name, (*self.numeric, *self.categories), numbers + words, attribution)

    def _uninformative(self) -> list[Finding]:
        """Columns that say nothing: no value, one value, or another word in nearly every row."""
        findings = []
        for i, name in enumerate(self.numeric):
            known = self.numbers[~np.isnan(self.numbers[:, i]), i]
            findings += self._empty_or_constant(name, len(known), len(np.unique(known)))
        for name, column in self.categories.items():
            filled = int((column.codes >= 0).sum())
            findings += self._empty_or_constant(name, filled, len(column.words))
            if self.learned is None and len(column.words) > max(MANY_LEVELS, filled / 2):
                findings.append(_like_a_name(self.table, name))
        return findings

    def _empty_or_constant(self, column: str, known: int, different: int) -> list[Finding]:
        place = f'{self.table} column "{column}"'
        if known == 0:
            severity = Severity.ERROR if self.learned is None else Severity.WARNING
            remedy = "Fill it, or leave it out of the study (columns, or leave_out)."
            return [Finding("empty_column", place, "must hold values", "all are missing", remedy, severity)]
        if different == 1 and self.learned is None:
            remedy = "Nothing can be learned from it; leave it out."
            return [Finding("constant_column", place, "should vary", "it never does", remedy, Severity.WARNING)]
        return []


def _like_a_name(table: str, column: str) -> Finding:
    return Finding(
        name="words_without_repeats",
        place=f'{table} column "{column}"',
        rule="a category should recur",
        found="nearly every row holds another word, as in a name or a free text",
        remedy="Leave it out, or list it under numeric if these are numbers.",
        severity=Severity.WARNING,
    )


def _new_level(table: str, plan: CategoryPlan, rows: Int[np.ndarray, " row"]) -> Finding:
    treated = "as other rare words" if plan.other else "as saying nothing"
    return Finding(
        name="new_category",
        place=f'{table} column "{plan.name}"',
        rule="categories should be among those of the training",
        found="some are rare or new",
        remedy=f"They are taken {treated}; check the spelling.",
        severity=Severity.NOTE,
        rows=tuple(int(row) + 1 for row in rows),
    )


def _other_unit(table: str, column: str, found: str) -> Finding:
    return Finding(
        name="another_unit",
        place=f'{table} column "{column}"',
        rule="values should be in the unit of those that the model was trained on",
        found=found,
        remedy="Convert them if they are in another unit; the answers take them as they are.",
        severity=Severity.WARNING,
    )
