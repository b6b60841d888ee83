"""Guessing which kind of question an outcome column asks, for a draft that a person then corrects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from polyclinic.cohort.follow_up import FollowUp, follow_up_of, may_be_its_time, pair_of
from polyclinic.cohort.guess_place import DenseGuess, guess_dense
from polyclinic.cohort.ordered_classes import order_of
from polyclinic.cohort.outcome_coding import Code, codes, guess_positive
from polyclinic.cohort.outcomes import spell
from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import absent_column

_MOST_CLASSES = 20
"""Distinct whole numbers beyond which an outcome is a measurement rather than a code. A round number."""

KeyValue = Code | list[str] | list[Code]


@dataclass(frozen=True)
class TargetGuess:
    """A drafted target.

    Attributes:
        kind: "classify", "multilabel", "regress", "survive", "segment", "detect", "tag" or "relate".
        keys: For the study file, with a comment each ("" = none).
        columns: Columns of the outcome.
        why: Why this kind was chosen.
        ground: Sort of input that the question is asked on, such as "image"; "" where it is asked of all together.
        questions: What a person has to decide, a sentence or two each.
    """

    kind: str
    keys: tuple[tuple[str, KeyValue, str], ...]
    columns: tuple[str, ...]
    why: str
    ground: str = ""
    questions: tuple[str, ...] = ()


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
    if len(columns) == 2 and (named := pair_of(frame, columns[0], columns[1])) is not None:
        return _survive(named)
    if len(columns) > 1:
        other = next((name for name in columns if not _is_yes_no(frame[name])), None)
        if other is not None:
            raise CohortError(_not_labels(table, other))
        why = f"{len(columns)} columns of yes or no, of which several may be yes"
        return TargetGuess("multilabel", (("columns", list(columns), ""),), columns, why)
    column = frame[columns[0]]
    dense = guess_dense(column, folder)
    if dense is not None:
        return _dense(frame, column, dense)
    if column.drop_nulls().n_unique() < 2:
        raise CohortError(_no_outcome(table, column.name))
    pair = follow_up_of(frame, column.name)
    if pair is not None:
        return _survive(pair)
    guess, maybe = _one_column(column), may_be_its_time(frame, column.name)
    return replace(guess, questions=(*guess.questions, *(_perhaps_time(column.name, time) for time in maybe)))


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
        return named
    numbered = tuple(c for c in frame.columns if re.fullmatch(re.escape(target) + r"_[0-9]+", c))
    if len(numbered) > 1 and all(_is_yes_no(frame[name]) for name in numbered):
        return numbered
    raise CohortError(absent_column(f"{table} --target", target, frame.columns))


def _dense(frame: pl.DataFrame, column: pl.Series, found: DenseGuess) -> TargetGuess:
    """A question of where; of relations the column with the stretches is looked for too."""
    keys: list[tuple[str, KeyValue, str]] = [("column", column.name, "")]
    others = [c for c in frame if c.name != column.name]
    spans = [c.name for c in others if (other := guess_dense(c, None)) is not None and other.kind == "tag"]
    if found.kind == "relate" and spans:
        keys.append(("spans", spans[0], "the stretches of which every pair is asked about"))
    return TargetGuess(found.kind, tuple(keys), tuple(str(key[1]) for key in keys), found.why, found.ground)


def _survive(pair: FollowUp) -> TargetGuess:
    """An event with its time, as the codes of its column say."""
    keys: list[tuple[str, KeyValue, str]] = [
        ("event", pair.event, "whether the event was seen, or the follow-up censored")
    ]
    occurred = pair.coding.occurred
    if not pair.coding.plain and occurred:
        value = occurred[0] if len(occurred) == 1 else list(occurred)
        keys.append(("occurred", value, "the value that means the event; every other known one means censored"))
    keys.append(("time", pair.time, "follow-up, to the event or to the last contact; above 0"))
    keys.append(("unit", pair.unit, "of the time, for axes and tables"))
    why = "an event that may be censored, with its time"
    return TargetGuess("survive", tuple(keys), (pair.event, pair.time), why, questions=tuple(_questions(pair)))


def _questions(pair: FollowUp) -> Iterator[str]:
    """What a person has to decide about an event and its time."""
    if not pair.coding.occurred:
        yield f"Which values of {pair.event} mean the event? Write occurred = [...]: {pair.coding.doubt}."
    elif pair.coding.doubt:
        yield f"Is the event of {pair.event} coded so? {pair.coding.doubt}."
    if pair.start is not None:
        yield (
            f"Rows look like intervals of follow-up, from {pair.start} to {pair.time}. A row must follow a patient "
            "from the moment of prediction to the event or the last contact: make one row per patient, with what was "
            "known at the start, the time to the last stop, and whether the event was seen then."
        )


def _one_column(column: pl.Series) -> TargetGuess:
    known = column.drop_nulls()
    distinct = known.n_unique()
    key: tuple[str, KeyValue, str] = ("column", column.name, "")
    fractional = column.dtype.is_float() and bool((known % 1 != 0).any())
    if column.dtype.is_numeric() and (fractional or distinct > _MOST_CLASSES):
        return TargetGuess(
            "regress", (key, ("unit", "", "such as g/L, for axes and tables")), (column.name,), "a number"
        )
    if distinct > 2:
        return _several_classes(column)
    found = guess_positive(known)
    note = "the class whose probability is given: correct it if it is the other one"
    question = () if found.sure else (f"Which of the two classes of {column.name} is the illness? Nothing says so.",)
    keys = (key, ("positive", found.value, note))
    return TargetGuess("classify", keys, (column.name,), "one of two classes", questions=question)


def _perhaps_time(outcome: str, time: str) -> str:
    return (
        f"Is {time} how long a patient was followed until {outcome}? Then it must be no input: ask when it happens "
        f'(kind = "survive", event = "{outcome}", time = "{time}").'
    )


def _several_classes(column: pl.Series) -> TargetGuess:
    """One of several classes; if they are grades, in their order."""
    key: tuple[str, KeyValue, str] = ("column", column.name, "")
    values = codes(column)
    of_name = {spell(value): value for value in values}
    order = order_of(column.name, list(of_name))
    why = f"one of {len(values)} classes"
    if order is None:
        return TargetGuess("classify", (key,), (column.name,), why, questions=tuple(_numbered(column)))
    question = (
        f"The classes of {column.name} are ordered grades. Here a miss by one grade counts like a miss by three; "
        "where the distance counts, and the grades are numbers, ask for a number (regress).",
    )
    ordered: list[Code] = [of_name[name] for name in order]
    listed: tuple[str, KeyValue, str] = ("classes", ordered, "from the least to the most")
    return TargetGuess("classify", (key, listed), (column.name,), f"{why}, which are grades", questions=question)


def _numbered(column: pl.Series) -> Iterator[str]:
    """What to decide about classes that are numbers."""
    if column.dtype.is_numeric():
        yield (
            f"Are the numbers of {column.name} ordered grades, or names of classes? As classes a miss by one counts "
            'like a miss by three; where the distance counts, write kind = "regress".'
        )


def _is_yes_no(column: pl.Series) -> bool:
    known = column.drop_nulls()
    if column.dtype == pl.Boolean:
        return True
    if not column.dtype.is_numeric() or not len(known):
        return False
    return bool(((known == 0) | (known == 1)).all()) and known.n_unique() == 2


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
