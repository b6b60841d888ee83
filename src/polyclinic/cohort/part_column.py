"""A column of the table that says which row trains, tunes and tests."""

import numpy as np
import polars as pl
from jaxtyping import Shaped

from polyclinic.cohort.table import Cohort
from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import absent_column, counted
from polyclinic.study.schema import SplitSection

_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("tune", "val", "valid", "validation", "dev"), "tune"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def read_parts(cohort: Cohort, name: str) -> Shaped[np.ndarray, " row"]:
    """Part of each row: "train", "tune" or "test".

    Raises:
        CohortError: no such column, another word or none in some rows, no row to train or to test on.
    """
    words = _words(cohort, name)
    parts = words.replace_strict(_WORDS, default=None, return_dtype=pl.String)
    if parts.null_count():
        raise CohortError(_other_words(cohort, name, parts))
    lacking = [part for part in ("train", "test") if part not in parts]
    if lacking:
        raise CohortError([_lacking(cohort, name, part) for part in lacking])
    return np.asarray(parts.to_list(), dtype=np.str_)


def notes(cohort: Cohort, section: SplitSection) -> list[Finding]:
    """What the user should know about how the column was understood."""
    if section.column is None:
        return []
    place = f'{cohort.name} column "{section.column}"'
    words = set(_words(cohort, section.column).to_list())
    found = []
    if words & {"val", "valid", "validation", "dev"}:
        rule = 'the part for inner choices is called "tune" here'
        remedy = 'They are taken as "tune"; "validation" means another hospital to a clinic.'
        found.append(_note(place, rule, "some rows say validation", remedy))
    if not any(_WORDS.get(word) == "tune" for word in words):
        remedy = f"{section.tune:.0%} of the training patients are drawn for it."
        found.append(_note(place, 'should say which rows are "tune"', "no row does", remedy))
    return found


def _words(cohort: Cohort, name: str) -> pl.Series:
    if name not in cohort.frame.columns:
        raise CohortError(absent_column("[split] column", name, cohort.frame.columns))
    return cohort.frame[name].cast(pl.String).str.strip_chars().str.to_lowercase()


def _other_words(cohort: Cohort, name: str, parts: pl.Series) -> Finding:
    return Finding(
        name="unknown_part",
        place=f'{cohort.name} column "{name}"',
        rule="every row must say train, tune or test",
        found=f"something else, or nothing, in {counted(parts.null_count(), 'row')}",
        remedy="Correct them, or leave them out with exclude.",
        rows=tuple(int(cohort.row[i]) for i in parts.is_null().arg_true()),
    )


def _lacking(cohort: Cohort, name: str, part: str) -> Finding:
    return Finding(
        name="empty_part",
        place=f'{cohort.name} column "{name}"',
        rule="must name rows to train on and rows to test on",
        found=f"no row says {part}",
        remedy=f'Write "{part}" in some rows, or take [split] column out and let patients be drawn.',
    )


def _note(place: str, rule: str, found: str, remedy: str) -> Finding:
    return Finding("part_words", place, rule, found, remedy, Severity.NOTE)


def is_part_column(column: pl.Series) -> bool:
    """Whether a column says train, test and the like in every row, and both of these in some."""
    if column.dtype != pl.String or column.null_count() or column.n_unique() > len(_WORDS):
        return False
    parts = {_WORDS.get(word.strip().lower()) for word in column.unique().to_list()}
    return None not in parts and {"train", "test"} <= parts
