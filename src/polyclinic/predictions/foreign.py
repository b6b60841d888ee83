"""Another program's predictions, so that they can be judged like our own.

A csv, tsv or parquet file with one row per answer and these columns:

======================================  ==========================================================
``truth`` and ``probability``           yes or no: truth is 0 or 1, the chance is that of 1
``truth`` and ``probability_<class>``   one of several classes: one column for each, truth names it
``truth`` and ``value``                 a number
``event``, ``time`` and ``risk``        time to an event: 1 = seen, 0 = censored; higher = earlier
======================================  ==========================================================

It may also have ``patient`` (or every row is another patient), ``row``, ``part`` (or every row is a test row),
``target``, ``repeat``, ``fold``, ``site``, ``model`` and ``strata_<column>``. An empty truth is not judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float, Int, Shaped
from polars.exceptions import PolarsError

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import EvidenceError, Finding, stop_on
from polyclinic.predictions.record import Predictions, Samples

ANSWER = "answer"
UNKNOWN = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
PARTS = ("train", "tune", "test")
SUM_TOLERANCE = 1e-3
"""Chances written with three decimals still count as summing to 1."""


def load_foreign(path: Path) -> Predictions:
    """Read predictions that another program made.

    Raises:
        EvidenceError: with all findings: a file that cannot be read, missing columns, cells that are no numbers,
            chances outside 0 to 1, a truth that is none of the classes, and so on.
    """
    file = _File(path.name, _table(path))
    if len(file.table) == 0:
        file.found("empty_file", "", "must have one row per answer", "it has none", "Give at least one row.")
    models = [path.stem] if "model" not in file.table.columns else file.table["model"].unique(maintain_order=True)
    if len(models) > 1:
        file.found("several_models", "model", "must name one model", "it names several", "Split the file by model.")
    samples, answers = _samples(file), _answers(file)
    stop_on(file.findings, EvidenceError)
    return Predictions(str(models[0]), samples, answers, np.full(len(samples), np.nan))


@dataclass(frozen=True)
class _File:
    """The table under its name, and what was found wrong with it so far."""

    name: str
    table: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)

    def found(self, name: str, column: str, rule: str, found: str, remedy: str, rows: tuple[int, ...] = ()) -> None:
        """Note one thing that is wrong."""
        place = f'{self.name} column "{column}"' if column else self.name
        self.findings.append(Finding(name, place, rule, found, remedy, rows=rows))

    def broken(self, name: str, column: str, rule: str, remedy: str, bad: Shaped[np.ndarray, " sample"]) -> None:
        """Note the rows that break a rule, if there are any. Rows are counted in this file, from 1."""
        if bad.any():
            rows = tuple(int(row) + 1 for row in np.flatnonzero(bad))
            number = "1 row breaks this" if len(rows) == 1 else f"{len(rows)} rows break this"
            self.found(name, column, rule, number, remedy, rows)

    def numbers(self, column: str, among: Shaped[np.ndarray, " sample"] | None = None) -> Float[np.ndarray, " sample"]:
        """A column as numbers, NaN where it is empty; cells that are no numbers are noted."""
        cells = self.table[column]
        values = cells.cast(pl.Float64, strict=False)
        wrong = (cells.is_not_null() & values.is_null()).to_numpy()
        if among is not None:
            wrong = wrong & among
        self.broken("not_a_number", column, "every cell must be a number", "Write numbers with a point.", wrong)
        return values.fill_null(np.nan).to_numpy()

    def filled(self, column: str, among: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        """The same where no cell may be empty."""
        values = self.numbers(column, among)
        empty = among & self.table[column].is_null().to_numpy() | (among & np.isinf(values))
        remedy = "Leave out rows without an answer."
        self.broken("no_answer", column, "every cell must be a finite number", remedy, empty)
        return values

    def whole(self, column: str, least: int, default: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
        """A column of whole numbers, or the default where there is no such column."""
        if column not in self.table.columns:
            return default
        values = self.numbers(column)
        bad = ~(values == np.round(values)) | (np.nan_to_num(values, nan=least) < least)
        rule = f"every cell must be a whole number, {least} or more"
        self.broken("not_whole", column, rule, "Number from there.", bad)
        return np.where(bad, least, values).astype(np.int64)


def _table(path: Path) -> pl.DataFrame:
    """The file as a table.

    Raises:
        EvidenceError: if it cannot be read.
    """
    readers: dict[str, Callable[[], pl.DataFrame]] = {
        ".parquet": lambda: pl.read_parquet(path),
        ".csv": lambda: pl.read_csv(path, infer_schema_length=None, null_values=list(UNKNOWN)),
        ".tsv": lambda: pl.read_csv(path, separator="\t", infer_schema_length=None, null_values=list(UNKNOWN)),
    }
    if path.suffix.lower() not in readers:
        remedy = f"Save the predictions as one of {', '.join(readers)}."
        raise EvidenceError(Finding("unknown_file", path.name, "must be a table", "it has another ending", remedy))
    try:
        table = readers[path.suffix.lower()]()
    except (OSError, PolarsError) as error:
        remedy = "Check the path, and that the file opens as a table in UTF-8."
        found = "there is no such file" if not path.exists() else "it is damaged, empty or no such table"
        raise EvidenceError(Finding("unreadable_predictions", path.name, "must be a table", found, remedy)) from error
    words = [name for name, kind in table.schema.items() if kind == pl.String]
    return table.with_columns(pl.col(name).str.strip_chars() for name in words)


def _samples(file: _File) -> Samples:
    table, n = file.table, len(file.table)
    row = file.whole("row", 1, np.arange(1, n + 1))
    columns = {name.removeprefix("strata_"): table[name] for name in table.columns if name.startswith("strata_")}
    return Samples(
        row=row,
        patient=_words(table["patient"]) if "patient" in table.columns else row.astype(str).astype(object),
        part=_part(file),
        repeat=file.whole("repeat", 0, np.zeros(n, dtype=np.int64)),
        fold=file.whole("fold", 0, np.zeros(n, dtype=np.int64)),
        site=_words(table["site"]) if "site" in table.columns else None,
        strata={name: _words(values) for name, values in columns.items()},
    )


def _part(file: _File) -> Shaped[np.ndarray, " sample"]:
    if "part" not in file.table.columns:
        return np.array(["test"] * len(file.table), dtype=object)
    part = _words(file.table["part"])
    rule = "every cell must be train, tune or test"
    file.broken("unknown_part", "part", rule, "Correct them.", ~np.isin(part.astype(str), PARTS))
    return part


def _answers(file: _File) -> dict[str, Answer]:
    """The answers to each target; a row that belongs to another target is unknown here and is not judged.

    It gets a harmless answer.
    """
    if "target" not in file.table.columns:
        answer = _answer(file, np.ones(len(file.table), dtype=bool))
        return {} if answer is None else {ANSWER: answer}
    target = _words(file.table["target"]).astype(str)
    names = dict.fromkeys(target.tolist())
    answers = {name: _answer(file, target == name) for name in names}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _answer(file: _File, mine: Shaped[np.ndarray, " sample"]) -> Answer | None:
    """The answer in the form that the columns of these rows show; None with a finding where they show none."""
    cells = file.table.filter(pl.Series(mine))
    there = [name for name in file.table.columns if cells[name].null_count() < len(cells)]
    if {"event", "time", "risk"} <= set(there):
        return _survival(file, mine)
    classes = [name.removeprefix("probability_") for name in there if name.startswith("probability_")]
    if "truth" in there and classes:
        return _classes(file, mine, classes)
    if "truth" in there and "probability" in there:
        return _binary(file, mine)
    if "truth" in there and "value" in there:
        return ValueAnswer("", np.where(mine, file.filled("value", mine), 0.0), _truth(file, mine))
    file.found(
        "missing_columns",
        "",
        "must have truth with probability, probability_<class> or value, or else event, time and risk",
        "these columns are missing or empty",
        "Rename the columns, or add them.",
    )
    return None


def _binary(file: _File, mine: Shaped[np.ndarray, " sample"]) -> ClassAnswer:
    truth = _truth(file, mine)
    remedy = "Write 1 for the positive class and 0 for the other, or give probability_<class> columns."
    file.broken("unknown_truth", "truth", "must be 0 or 1", remedy, np.isfinite(truth) & (truth != 0) & (truth != 1))
    chance = np.where(mine, _chance(file, "probability", mine), 0.5)
    both = np.stack([1 - chance, chance], axis=1)
    return ClassAnswer(("0", "1"), both, both, truth)


def _classes(file: _File, mine: Shaped[np.ndarray, " sample"], classes: list[str]) -> ClassAnswer | None:
    if len(classes) == 1:
        found, remedy = (
            "there is one only",
            'Add the others, or call the column "probability" and write truth as 0 or 1.',
        )
        file.found("one_class", f"probability_{classes[0]}", "there must be one such column per class", found, remedy)
        return None
    columns = [_chance(file, f"probability_{name}", mine) for name in classes]
    chances = np.stack([np.where(mine, column, 1 / len(classes)) for column in columns], axis=1)
    odd = np.abs(chances.sum(axis=1) - 1) > SUM_TOLERANCE
    remedy = "Give one probability for every class."
    file.broken("probability_sum", "probability_<class>", "must sum to 1 over the classes", remedy, mine & odd)
    words = _words(file.table["truth"])
    number = {name: float(k) for k, name in enumerate(classes)}
    truth = np.array([number.get(str(word), np.nan) for word in words])
    stray = mine & np.isnan(truth) & file.table["truth"].is_not_null().to_numpy()
    remedy = "Give a column probability_<class> for every class that occurs."
    file.broken("unknown_truth", "truth", "must be one of the classes", remedy, stray)
    return ClassAnswer(tuple(classes), chances, chances, np.where(mine, truth, np.nan))


def _survival(file: _File, mine: Shaped[np.ndarray, " sample"]) -> SurvivalAnswer:
    event, time = file.numbers("event", mine), file.numbers("time", mine)
    wrong = mine & np.isfinite(event) & (event != 0) & (event != 1)
    file.broken("impossible_event", "event", "must be 0 or 1", "Write 1 = seen, 0 = censored.", wrong)
    late = mine & np.isfinite(time) & (time <= 0)
    file.broken("impossible_time", "time", "must be above 0", "Correct the times.", late)
    nothing = np.zeros((len(mine), 0))
    return SurvivalAnswer(
        unit="",
        risk=np.where(mine, file.filled("risk", mine), 0.0),
        times=nothing,
        survival=nothing,
        event=np.where(mine, event, np.nan),
        time=np.where(mine, time, np.nan),
    )


def _truth(file: _File, mine: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    return np.where(mine, file.numbers("truth", mine), np.nan)


def _chance(file: _File, column: str, mine: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """A column of chances; those outside 0 to 1 are noted."""
    chance = file.filled(column, mine)
    outside = mine & ((chance < 0) | (chance > 1))
    remedy = "Give probabilities, not percentages or logits."
    file.broken("impossible_probability", column, "must lie between 0 and 1", remedy, outside)
    return chance


def _words(column: pl.Series) -> Shaped[np.ndarray, " sample"]:
    """A column as words, whole numbers without a decimal point; None where it is empty."""
    words = [
        str(int(cell)) if isinstance(cell, bool) or (isinstance(cell, float) and cell.is_integer()) else cell
        for cell in column.to_list()
    ]
    return np.array([None if word is None else str(word) for word in words], dtype=object)
