"""Guessing which kind of question an outcome column asks, for a draft that a person then corrects."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from polyclinic.cohort.guess_place import DenseGuess, guess_dense
from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import absent_column

_TIME = r".*(time|duration|follow[ _-]?up|survival|months|days|years|随访|生存|时间).*"
_EVENT = r".*(event|died|death|dead|deceased|status|relapse|recurren|progression|censor|死亡|复发|结局).*"
_POSITIVE = (
    *("m", "malignant", "yes", "y", "positive", "pos", "true", "case", "cancer", "tumor", "tumour", "disease"),
    *("abnormal", "sick", "ill", "dead", "died", "deceased", "event", "high", "tested_positive", "阳性", "是", "恶性"),
)
_MOST_CLASSES = 20
"""Distinct whole numbers beyond which an outcome is a measurement rather than a code. A round number."""

Keys = dict[str, str | int | float | bool | list[str]]


@dataclass(frozen=True)
class TargetGuess:
    """A drafted target.

    Attributes:
        kind: "classify", "multilabel", "regress", "survive", "segment", "detect", "tag" or "relate".
        keys: For the study file, with a comment each ("" = none).
        columns: Columns of the outcome.
        why: Why this kind was chosen.
        ground: Sort of input that the question is asked on, such as "image"; "" where it is asked of all together.
    """

    kind: str
    keys: tuple[tuple[str, str | int | float | bool | list[str], str], ...]
    columns: tuple[str, ...]
    why: str
    ground: str = ""


def guess_target(frame: pl.DataFrame, target: str, table: str, folder: Path | None = None) -> TargetGuess:
    """The kind of question that a column asks; several columns may be given, divided by commas.

    Args:
        frame: The table.
        target: The column, or the columns.
        table: The user's word for the table, for messages.
        folder: Folder where paths in cells begin, or None.

    Raises:
        CohortError: if there is no such column, or it holds no outcome.
    """
    columns = _columns(frame, target, table)
    if len(columns) > 1:
        why = f"{len(columns)} columns of yes or no, of which several may be yes"
        return TargetGuess("multilabel", (("columns", list(columns), ""),), columns, why)
    column = frame[columns[0]]
    dense = guess_dense(column, folder)
    if dense is not None:
        return _dense(frame, column, dense)
    if column.drop_nulls().n_unique() < 2:
        raise CohortError(_no_outcome(table, column.name))
    return _survive(frame, column) or _one_column(column)


def _columns(frame: pl.DataFrame, target: str, table: str) -> tuple[str, ...]:
    if target in frame.columns:
        return (target,)
    named = tuple(word.strip() for word in target.split(","))
    if len(named) > 1:
        absent = [
            absent_column(f"{table} --target", name, frame.columns) for name in named if name not in frame.columns
        ]
        if absent:
            raise CohortError(absent)
        pair = [name for name in named if not _is_yes_no(frame[name])]
        if len(named) == 2 and len(pair) == 1:  # event and time: the event leads
            return tuple(name for name in named if name not in pair)
        if pair:
            raise CohortError(_not_labels(table, pair[0]))
        return named
    numbered = tuple(c for c in frame.columns if re.fullmatch(re.escape(target) + r"_[0-9]+", c))
    if len(numbered) > 1 and all(_is_yes_no(frame[name]) for name in numbered):
        return numbered
    raise CohortError(absent_column(f"{table} --target", target, frame.columns))


def _dense(frame: pl.DataFrame, column: pl.Series, found: DenseGuess) -> TargetGuess:
    """A question of where; of relations the column with the stretches is looked for too."""
    keys: list[tuple[str, str | int | float | bool | list[str], str]] = [("column", column.name, "")]
    others = [c for c in frame if c.name != column.name]
    spans = [c.name for c in others if (other := guess_dense(c, None)) is not None and other.kind == "tag"]
    if found.kind == "relate" and spans:
        keys.append(("spans", spans[0], "the stretches of which every pair is asked about"))
    return TargetGuess(found.kind, tuple(keys), tuple(str(key[1]) for key in keys), found.why, found.ground)


def _survive(frame: pl.DataFrame, column: pl.Series) -> TargetGuess | None:
    """An event with a time beside it, whichever of the two was named; None where there is no such pair."""
    event, time = column, column
    if _is_yes_no(column) and _says(column, _EVENT):
        times = [c for c in frame if _is_time(c)]
        if not times:
            return None
        time = times[0]
    elif _is_time(column):
        events = [c for c in frame if c.name != column.name and _is_yes_no(c) and _says(c, _EVENT)]
        if not events:
            return None
        event = events[0]
    else:
        return None
    unit = next((word for word in ("days", "months", "years") if word[:-1] in time.name.lower()), "")
    keys = (
        ("event", event.name, "1 or true = the event was seen; 0 or false = the patient left before it"),
        ("time", time.name, "follow-up, to the event or to the last contact; above 0"),
        ("unit", unit, "of the time, for axes and tables"),
    )
    return TargetGuess("survive", keys, (event.name, time.name), "an event that may be censored, with its time")


def _one_column(column: pl.Series) -> TargetGuess:
    known = column.drop_nulls()
    distinct = known.n_unique()
    key = ("column", column.name, "")
    fractional = column.dtype.is_float() and bool((known % 1 != 0).any())
    if column.dtype.is_numeric() and (fractional or distinct > _MOST_CLASSES):
        return TargetGuess(
            "regress", (key, ("unit", "", "such as g/L, for axes and tables")), (column.name,), "a number"
        )
    if distinct > 2:
        return TargetGuess("classify", (key,), (column.name,), f"one of {distinct} classes")
    positive = _positive(known)
    note = "the class whose probability is given: correct it if it is the other one"
    return TargetGuess("classify", (key, ("positive", positive, note)), (column.name,), "one of two classes")


def _positive(known: pl.Series) -> str | int | float | bool:
    """The class that sounds like disease; else true, the larger number, or the rarer text."""
    values: Sequence[str | int | float | bool] = known.unique().sort().to_list()
    if known.dtype != pl.String:
        value = values[-1]
        return int(value) if isinstance(value, float) and value.is_integer() else value
    like = [value for value in values if str(value).strip().lower() in _POSITIVE]
    if len(like) == 1:
        return like[0]
    counts = known.value_counts(name="\0n").sort(by=["\0n", known.name])
    rarer: str = counts.to_series(0)[0]
    return rarer


def _is_yes_no(column: pl.Series) -> bool:
    known = column.drop_nulls()
    if column.dtype == pl.Boolean:
        return True
    if not column.dtype.is_numeric() or not len(known):
        return False
    return bool(((known == 0) | (known == 1)).all()) and known.n_unique() == 2


def _is_time(column: pl.Series) -> bool:
    known = column.drop_nulls()
    positive = column.dtype.is_numeric() and len(known) > 0 and bool((known >= 0).all())
    return positive and known.n_unique() > 10 and _says(column, _TIME)


def _says(column: pl.Series, pattern: str) -> bool:
    return re.fullmatch(pattern, column.name, re.IGNORECASE) is not None


def _no_outcome(table: str, name: str) -> Finding:
    return Finding(
        name="no_outcome",
        place=f'{table} column "{name}"',
        rule="an outcome needs at least two different values",
        found="it has one, or none",
        remedy="Name another column with --target.",
    )


def _not_labels(table: str, name: str) -> Finding:
    return Finding(
        name="no_outcome",
        place=f'{table} column "{name}"',
        rule="several outcome columns must each hold 0 and 1, or be one event and its time",
        found="this one holds something else",
        remedy="Name one column, or columns of 0 and 1.",
    )
