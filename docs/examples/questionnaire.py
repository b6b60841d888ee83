"""A questionnaire in one cell, such as "0 2 1 3 - 0 1 2 0": mood, pain, quality of life. "-" = not answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, UInt64
from pydantic import Field
from torch import Tensor, nn

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.inputs.base import Input, Prepared
from polyclinic.records.base import ColumnCells, Features, Picture, Records, bar_table
from polyclinic.records.tables.variables import row_hashes
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import Encoded, Encoder, InputTensors


class QuestionnaireOptions(InputOptions):
    """Keys of [inputs.<name>] with kind = "questionnaire"."""

    column: str
    """Column that holds the answers of a patient, divided by blanks."""
    items: int = Field(ge=1)
    """How many questions there are."""
    highest: int = Field(default=3, ge=1)
    """The highest answer; the lowest is 0."""


class QuestionnairePlan(Plan):
    """Mean and spread of each question among training rows."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


@dataclass(frozen=True)
class Sheets(Records):
    """The answers as read, NaN where there is none: what is true of them, whatever is learned later."""

    name: str
    place: str
    answers: Float[np.ndarray, "row item"]

    def __len__(self) -> int:
        return len(self.answers)

    def check(self) -> list[Finding]:
        """Sheets that are less than half filled in."""
        answered = (~np.isnan(self.answers)).mean(axis=1)
        rows = tuple(int(row) + 1 for row in np.flatnonzero((answered > 0) & (answered < 0.5)))
        rule, remedy = "a sheet should be filled in", "What is not answered is masked; expect less of these rows."
        found = "less than half is answered"
        return [Finding("half_empty_sheet", self.place, rule, found, remedy, Severity.WARNING, rows)] if rows else []

    def summarise(self) -> Features:
        """The answers as they are."""
        names = tuple(f"{self.name} question {number}" for number in range(1, self.answers.shape[1] + 1))
        return Features(self.answers, names, (False,) * len(names))

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """A hash of the answers; 0 for a sheet too plain to be told from others."""
        return row_hashes(self.answers)

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The answers as a table."""
        answers = self.answers[position]
        names = [f"question {number}" for number in range(1, len(answers) + 1)]
        return bar_table(self.name, names, ["-" if np.isnan(one) else f"{one:g}" for one in answers], attribution)


@dataclass(frozen=True)
class SheetTensors(InputTensors):
    """Standardised answers, 0 where there is none."""

    answers: Float[Tensor, "batch item"]
    answered: Bool[Tensor, "batch item"]


@dataclass(frozen=True)
class PreparedSheets(Prepared):
    """All sheets as tensors. None is changed while training: no change of an answer is surely without meaning."""

    tensors: SheetTensors

    def collate(self, index: Int[np.ndarray, " batch"]) -> SheetTensors:
        """Some sheets."""
        chosen = torch.from_numpy(index)
        return SheetTensors(*(tensor[chosen] for tensor in vars(self.tensors).values()))


@final
class Questionnaire(Input):
    """A questionnaire: one token for each question that was answered."""

    Options = QuestionnaireOptions
    Plan = QuestionnairePlan
    options: QuestionnaireOptions
    plan: QuestionnairePlan | None

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The one column."""
        return (self.options.column,)

    def read(self, cells: ColumnCells) -> Sheets:
        """Cells to answers.

        Raises:
            CohortError: naming the rows whose cell is not a sheet of so many answers. It never shows the cell.
        """
        place = f'{cells.table} column "{self.options.column}"'
        sheets = [_sheet(cell, self.options) for cell in cells.frame[self.options.column].to_list()]
        wrong = tuple(row for row, sheet in enumerate(sheets, 1) if sheet is None)
        rule = f"every sheet holds {self.options.items} answers from 0 to {self.options.highest}"
        found = f"not so in {len(wrong)} of {len(sheets)} rows"
        remedy = 'Write "-" for a question without an answer; leave the cell empty if there is no sheet.'
        stop_on([Finding("not_a_sheet", place, rule, found, remedy, rows=wrong)] if wrong else [], CohortError)
        return Sheets(self.name, place, np.array(sheets, dtype=np.float64).reshape(len(sheets), self.options.items))

    def fit(self, records: Sheets, rows: TrainRows) -> Self:
        """Mean and spread of each question, from training rows only."""
        seen = records.answers[rows.index]
        known = ~np.isnan(seen)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, seen, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (seen - mean) ** 2, 0.0).sum(axis=0) / count)
        plan = QuestionnairePlan(mean=tuple(mean.tolist()), spread=tuple(np.where(spread > 0, spread, 1.0).tolist()))
        return type(self)(self.name, self.options, plan)

    def prepare(self, records: Sheets) -> PreparedSheets:
        """Every sheet, standardised."""
        assert self.plan is not None, "fit first"
        known = ~np.isnan(records.answers)
        standard = (records.answers - np.array(self.plan.mean)) / np.array(self.plan.spread)
        answers = torch.from_numpy(np.where(known, standard, 0.0).astype(np.float32))
        return PreparedSheets(SheetTensors(torch.from_numpy(known.any(axis=1)), answers, torch.from_numpy(known)))

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From tensors to one token per question."""
        return _Encoder(self.options.items, width)

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Twelve questions, of which the first four rise with the signal; one answer in twenty is lacking."""
        shift = np.where(np.arange(12) < 4, 2.0, 0.0)
        answers = np.clip(np.rint(5 + shift * signal[:, None] + 2 * rng.standard_normal((len(signal), 12))), 0, 10)
        lacking = rng.random(answers.shape) < 0.05
        sheets = [
            " ".join("-" if gone else str(int(one)) for one, gone in zip(row, mask, strict=True))
            for row, mask in zip(answers, lacking, strict=True)
        ]
        return pl.DataFrame({f"{name}_sheet": sheets}), {"column": f"{name}_sheet", "items": 12, "highest": 10}

    def parameters_note(self) -> Iterator[str]:
        """How the answers were prepared."""
        yield f"{self.options.items} answers were centred and scaled; an answer that is lacking is masked."


class _Encoder(Encoder):
    """Each question has a place of its own and a direction along which its answer moves it."""

    def __init__(self, items: int, width: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(items, width) * width**-0.5)
        self.direction = nn.Parameter(torch.randn(items, width) * width**-0.5)

    def forward(self, tensors: SheetTensors) -> Encoded:
        return Encoded(self.place + tensors.answers[:, :, None] * self.direction, tensors.answered)


def _sheet(cell: str | None, options: QuestionnaireOptions) -> list[float] | None:
    """The answers in one cell; None if it is not a sheet."""
    if cell is None:
        return [float("nan")] * options.items
    words = cell.split()
    right = len(words) == options.items and all(
        word == "-" or (word.isdecimal() and int(word) <= options.highest) for word in words
    )
    return [float("nan") if word == "-" else float(word) for word in words] if right else None
