"""Who is left out: a condition on the columns of a row, such as ``age < 18 OR consent = 'no'``."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool

from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.columns.column_types import absent_column, counted

_SAMPLED_ROWS = 20
"""Rows of each sort on which a condition is tried before it is believed. A round number."""


@dataclass(frozen=True)
class Decision:
    """What a condition says about each row.

    Attributes:
        meets: True where the condition holds.
        notes: Rows for which it could not be decided, and a condition that does nothing.
    """

    meets: Bool[np.ndarray, " row"]
    notes: tuple[Finding, ...]


def decide(frame: pl.DataFrame, condition: str, place: str) -> Decision:
    """Which rows meet the condition. It is written as SQL and may look at nothing but the columns of the same row.

    A row whose columns are missing, so that the condition can not be decided, does not meet it.

    Raises:
        CohortError: if it cannot be parsed, names an unknown column, is no yes-or-no question, or looks at other rows.
    """
    expression = _parse(condition, place)
    absent = [name for name in _names(expression, place) if name not in frame.columns]
    stop_on([absent_column(place, name, frame.columns) for name in absent], CohortError)
    answers = _answers(frame, expression, place)
    if not _alone_the_same(frame, expression, answers, place):
        raise CohortError(_finding(place, "must decide by the row alone", "it looks at other rows", _EXAMPLE))
    meets = answers.fill_null(False).to_numpy().astype(bool)
    return Decision(meets, tuple(_notes(answers, meets, place)))


_EXAMPLE = "Write a condition on columns of the row, such as exclude = \"age < 18 OR consent = 'no'\"."


def _parse(condition: str, place: str) -> pl.Expr:
    try:
        return pl.sql_expr(condition)
    except pl.exceptions.PolarsError as error:
        found = "it is not a condition that SQL knows"
        remedy = f'{_EXAMPLE} Put column names that hold blanks or signs between double quotation marks, as in "b c".'
        raise CohortError(_finding(place, "must be a condition on columns", found, remedy)) from error


def _names(expression: pl.Expr, place: str) -> list[str]:
    try:
        names = sorted(set(expression.meta.root_names()))
    except pl.exceptions.PolarsError as error:
        raise CohortError(_finding(place, "must be a condition on columns", "it asks a table", _EXAMPLE)) from error
    if not names:
        raise CohortError(_finding(place, "must be a condition on columns", "it names no column", _EXAMPLE))
    return names


def _answers(frame: pl.DataFrame, expression: pl.Expr, place: str) -> pl.Series:
    """One answer per row. What polars says about a failure may hold cells, so it is not passed on."""
    try:
        answers = frame.select(answer=expression).to_series()
    except pl.exceptions.PolarsError as error:
        found = "its columns and values are of different types, or a function does not fit"
        remedy = "Write text between single quotation marks, numbers without, and dates as DATE '2020-01-31'."
        raise CohortError(_finding(place, "must compare like with like", found, remedy)) from error
    if answers.dtype != pl.Boolean:
        raise CohortError(_finding(place, "must be answered by yes or no", f"it gives {answers.dtype}", _EXAMPLE))
    if len(answers) != frame.height:
        raise CohortError(_finding(place, "must decide by the row alone", "it looks at the whole table", _EXAMPLE))
    return answers


def _alone_the_same(frame: pl.DataFrame, expression: pl.Expr, answers: pl.Series, place: str) -> bool:
    """Whether rows get the same answer when asked alone: an average or a rank over the table would change it."""
    meets = answers.fill_null(False)
    for group in (meets.arg_true(), (~meets).arg_true()):
        for position in group.gather_every(max(1, len(group) // _SAMPLED_ROWS)).to_list():
            alone = _answers(frame.slice(position, 1), expression, place)
            if alone.to_list() != answers.slice(position, 1).to_list():
                return False
    return True


def _notes(answers: pl.Series, meets: Bool[np.ndarray, " row"], place: str) -> list[Finding]:
    notes = []
    undecided = answers.null_count()
    if undecided:
        found = f"a column is missing in {counted(undecided, 'row')}"
        notes.append(_note(place, "should be decidable for every row", found, "They stay in.", Severity.NOTE))
    if not meets.any():
        remedy = "Take the condition out, or correct it."
        notes.append(_note(place, "should leave someone out", "no row meets it", remedy, Severity.WARNING))
    return notes


def _finding(place: str, rule: str, found: str, remedy: str) -> Finding:
    return Finding("exclude_condition", place, rule, found, remedy)


def _note(place: str, rule: str, found: str, remedy: str, severity: Severity) -> Finding:
    return Finding("exclude_condition", place, rule, found, remedy, severity)
