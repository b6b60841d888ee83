"""Whether the outcome is as frequent in one given part of the cohort as in another: train, tune, test, or given folds.

Parts that we draw are balanced; those that a column, a site or the time gives need not be. Where the test has another
share of ill patients than the training, probabilities and threshold that were learned on one do not fit the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from scipy.stats import chi2

from polyclinic.cohort.outcomes import nameable, words
from polyclinic.cohort.rows import Split
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.target_leakage import Values, as_outcome
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import counted
from polyclinic.study.schema import SplitSection

_LEVEL = 0.01
"""Level of significance, divided by the shares that are looked at (Bonferroni): 1 study in 100 is warned by chance."""

_LEAST_DIFFERENCE = 0.1
"""Standardised difference below which parts count as balanced, however many patients there are. Source: Austin PC.
Statistics in Medicine 2009;28:3083-3107."""

_FEWEST_OF_PART = 10
"""The chi-squared distribution holds from about this many patients on; the share of fewer would tell of single ones."""

_MOST_LISTED = 3
"""Parts of which each share is told, as train, tune and test; of more folds the lowest and the highest."""

Parts = Mapping[str, Int[np.ndarray, " _"]]


@dataclass(frozen=True)
class _Uneven:
    """A share, or a mean, that differs between parts: each part's figure and its patients."""

    what: str
    figure: Mapping[str, float]
    patients: Mapping[str, int]
    unlikely: float
    is_share: bool

    def told(self) -> str:
        """The figures of all parts, or the lowest and the highest."""
        ordered = sorted(self.figure, key=lambda part: self.figure[part])
        listed = list(self.figure) if len(ordered) <= _MOST_LISTED else [ordered[0], ordered[-1]]
        shown = ("{:.1%}" if self.is_share else "{:.4g}").format
        parts = [f"{shown(self.figure[part])} in {part} ({counted(self.patients[part], 'patient')})" for part in listed]
        return f"{self.what}: {', '.join(parts)}"


def uneven_parts(cohort: Cohort, split: Split, section: SplitSection, outcome: pl.DataFrame) -> Iterator[Finding]:
    """A warning for each outcome whose share of a class, or mean, differs between parts by more than chance.

    Patients are compared, not rows: of each the share of rows with the class, or the mean. The test is the chi-squared
    one of the differences between parts in units of the spread of all (for a class Pearson's, for a number that of
    Kruskal and Wallis without ranks).

    Args:
        cohort: The patients.
        split: How they are divided.
        section: The [split] table of the study; parts that are drawn by us are left alone.
        outcome: The outcome columns, rows as in the cohort.
    """
    divisions = _divisions(split) if section.given_columns or section.by in ("site", "time") else []
    for column in outcome:
        found = [one for parts in divisions for one in _uneven(cohort, column, parts)]
        looked_at = len(divisions) * max(1, len(_classes(column)))
        sure = [one for one in found if one.unlikely < _LEVEL / looked_at]
        if sure:
            yield Finding(
                name="prevalence_differs",
                place=f'{cohort.name} outcome "{column.name}"',
                rule="it should be about as frequent, or as high, in every given part",
                found=min(sure, key=lambda one: one.unlikely).told(),
                remedy="Probabilities and threshold learned on one part may not fit another: ask how the parts were "
                "made, or let patients be drawn.",
                severity=Severity.WARNING,
            )


def _divisions(split: Split) -> list[Parts]:
    """Train, tune and test where each patient has one part, else the folds of each repetition."""
    if len(split.folds) == 1:
        [fold] = split.folds
        inner = fold.members[0]
        return [{"train": inner.train.index, "tune": inner.tune.index, "test": fold.test.index}]
    repeats = sorted({fold.repeat for fold in split.folds})
    return [
        {
            f"fold {fold.number + 1}{_of(repeat, repeats)}": fold.test.index
            for fold in split.folds
            if fold.repeat == repeat
        }
        for repeat in repeats
    ]


def _of(repeat: int, repeats: list[int]) -> str:
    return f" of repetition {repeat + 1}" if len(repeats) > 1 else ""


def _uneven(cohort: Cohort, column: pl.Series, parts: Parts) -> Iterator[_Uneven]:
    """Every class, or the number, whose figures lie further apart than parts that count as balanced."""
    outcome = as_outcome(column)
    if isinstance(outcome, Values):
        yield from _compared(cohort, f"the mean of {column.name}", outcome.value, parts, is_share=False)
        return
    cells = words(column)
    known = np.array([cell is not None for cell in cells])
    for name in _classes(column):
        is_it = np.array([cell == name for cell in cells], dtype=np.float64)
        yield from _compared(cohort, f'the share of "{name}"', np.where(known, is_it, np.nan), parts, is_share=True)


def _classes(column: pl.Series) -> tuple[str, ...]:
    """The classes that may be named; of two the rarer, whose share says all."""
    cells = words(column)
    names = nameable(cells)
    return names if len(names) != 2 else (min(reversed(names), key=cells.count),)


def _compared(
    cohort: Cohort, what: str, value: Float[np.ndarray, " row"], parts: Parts, *, is_share: bool
) -> Iterator[_Uneven]:
    by_part = {part: _of_patients(cohort, value, index) for part, index in parts.items()}
    by_part = {part: values for part, values in by_part.items() if len(values) >= _FEWEST_OF_PART}
    if len(by_part) < 2:
        return
    everybody = np.concatenate(list(by_part.values()))
    spread = float(everybody.var(ddof=1))
    figure = {part: float(values.mean()) for part, values in by_part.items()}
    if not spread > 0 or max(figure.values()) - min(figure.values()) < _LEAST_DIFFERENCE * spread**0.5:
        return
    apart = sum(len(values) * (figure[part] - everybody.mean()) ** 2 for part, values in by_part.items())
    unlikely = float(chi2.sf(apart / spread, len(by_part) - 1))
    yield _Uneven(what, figure, {part: len(values) for part, values in by_part.items()}, unlikely, is_share)


def _of_patients(
    cohort: Cohort, value: Float[np.ndarray, " row"], index: Int[np.ndarray, " part"]
) -> Float[np.ndarray, " patient"]:
    """The mean of each patient's known rows in a part."""
    index = index[~np.isnan(value[index])]
    patient = np.unique(cohort.patient[index], return_inverse=True)[1]
    mean: Float[np.ndarray, " patient"] = np.bincount(patient, value[index]) / np.maximum(np.bincount(patient), 1)
    return mean
