"""Numbers and categories from the columns of the table itself: laboratory values, vital signs, history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, UInt64
from pydantic import Field
from torch import Generator, Tensor, nn

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.formats.columns.column_types import absent_column
from polyclinic.inputs.base import ColumnCells, Features, Input, Picture, bar_table, refuse_absent
from polyclinic.layers.table import Columns, TableNetwork, TableShape
from polyclinic.records.tables.scaling import (
    CategoryPlan,
    NumberPlan,
    coded,
    learn_category,
    learn_number,
    scaled,
    unseen,
)
from polyclinic.records.tables.variables import Categories, read_variables, row_hashes
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoded, InputTensors, Movement
from polyclinic.translations.phrase import Phrase


class TabularOptions(InputOptions):
    """[inputs.<name>] with kind = "tabular"."""

    columns: Literal["rest"] | tuple[str, ...] = "rest"
    """Columns to read; "rest" = every column that nothing else uses."""
    leave_out: tuple[str, ...] = ()
    """Columns to leave out of "rest", such as an identifier."""
    numeric: tuple[str, ...] = ()
    """Columns that hold numbers, where the table leaves doubt."""
    categorical: tuple[str, ...] = ()
    """Columns that hold categories though they look like numbers, such as a code made of digits."""
    encoder: Literal["auto", "tabm", "mlp", "linear"] = "auto"
    """Network: "tabm" (an ensemble inside one network), "mlp" or "linear"; "auto" is "tabm"."""
    members: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Networks inside "tabm"; by default from the size."""
    pieces: Literal["auto"] | Annotated[int, Field(ge=2)] = "auto"
    """Pieces of the curve that stands for each number; by default from the rows."""
    rare: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """A category that fewer training rows hold counts as "other"; by default 3, and more on many rows."""
    noise: float = Field(default=0.0, ge=0)
    """Random change of each number while training, in standard deviations."""
    forget: float = Field(default=0.0, ge=0, lt=1)
    """Share of the values taken away at random while training."""


class TabularPlan(Plan):
    """Constants from training rows.

    Attributes:
        rows: How many training rows there were.
        numbers: The numeric columns.
        few: Categories with few levels.
        many: Categories with many levels.
    """

    rows: int
    numbers: tuple[NumberPlan, ...]
    few: tuple[CategoryPlan, ...]
    many: tuple[CategoryPlan, ...]

    @property
    def categories(self) -> tuple[CategoryPlan, ...]:
        """All columns of categories."""
        return self.few + self.many

    @property
    def names(self) -> tuple[str, ...]:
        """All columns: numbers, then categories."""
        return tuple(number.name for number in self.numbers) + tuple(column.name for column in self.categories)


@dataclass(frozen=True)
class TableRecords:
    """The columns as read, all rows.

    Attributes:
        table: The user's word for the table.
        numeric: Names of the columns of numbers.
        numbers: Their values, NaN where missing.
        categories: The other columns, by name.
    """

    table: str
    numeric: tuple[str, ...]
    numbers: Float[np.ndarray, "row number"]
    categories: Mapping[str, Categories]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class TableTensors(InputTensors):
    """Rows of a table as ``TableNetwork`` takes them: scaled numbers, 0 where missing, and codes."""

    numbers: Float[Tensor, "batch number"]
    missing: Bool[Tensor, "batch number"]
    few: Int[Tensor, "batch few"]
    many: Int[Tensor, "batch many"]


_MANY_LEVELS = 24
_DROPOUT = 0.1
_SHAPES = {
    Size.TINY: TableShape(members=4, blocks=2, block_width=64, number_width=4, dropout=_DROPOUT),
    Size.SMALL: TableShape(members=8, blocks=2, block_width=128, number_width=8, dropout=_DROPOUT),
    Size.MEDIUM: TableShape(members=16, blocks=2, block_width=192, number_width=12, dropout=_DROPOUT),
    Size.LARGE: TableShape(members=32, blocks=3, block_width=256, number_width=16, dropout=_DROPOUT),
}


@final
class Tabular(Input):
    """Columns of the table: numbers and categories, missing values as such."""

    Options = TabularOptions
    Plan = TabularPlan
    options: TabularOptions
    plan: TabularPlan | None

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The columns named, or all that are offered but those left out; once fitted, those it was fitted on."""
        if self.plan is not None:
            return self.plan.names
        if self.options.columns == "rest":
            return tuple(name for name in offered if name not in self.options.leave_out)
        return self.options.columns

    def read(self, cells: ColumnCells) -> TableRecords:
        """Cells to numbers and categories; once fitted, every column is of the type that it was fitted on.

        Raises:
            CohortError: unknown columns, text in a number column, dates and other things that are neither.
        """
        offered = tuple(cells.frame.columns)
        stop_on(_unknown(self.name, self.options, cells.table, self.columns(offered), offered), CohortError)
        numeric, categorical = self.options.numeric, self.options.categorical
        if self.plan is not None:
            numeric = tuple(c.name for c in self.plan.numbers)
            categorical = tuple(c.name for c in self.plan.categories)
        frame = cells.frame.select(self.columns(offered))
        numbers, categories = read_variables(frame, cells.table, numeric, categorical)
        matrix = np.column_stack(list(numbers.values())) if numbers else np.empty((len(frame), 0))
        return TableRecords(cells.table, tuple(numbers), matrix, categories)

    def check(self, records: TableRecords) -> list[Finding]:
        """Columns that hold nothing, the same everywhere, or a new word in nearly every row; levels never learned."""
        findings = _plain(records, self.plan is not None) + refuse_absent(self, records.table, ~_known(records))
        for plan in self.plan.categories if self.plan is not None else ():
            rows = np.flatnonzero(unseen(records.categories[plan.name], plan))
            findings += [_new_level(records.table, plan, rows)] if len(rows) else []
        return findings

    def fit(self, records: TableRecords, rows: TrainRows) -> Self:
        """Scales, quantiles and levels from training rows only."""
        pieces = _pieces(len(rows)) if self.options.pieces == "auto" else self.options.pieces
        numbers = [learn_number(name, records.numbers[rows.index, i], pieces) for i, name in enumerate(records.numeric)]
        rare = max(3, len(rows) // 3500) if self.options.rare == "auto" else self.options.rare
        categories = [learn_category(name, column, rows.index, rare) for name, column in records.categories.items()]
        plan = TabularPlan(
            rows=len(rows),
            numbers=tuple(numbers),
            few=tuple(c for c in categories if c.levels <= _MANY_LEVELS),
            many=tuple(c for c in categories if c.levels > _MANY_LEVELS),
        )
        return type(self)(self.name, self.options, plan)

    @property
    def learned(self) -> TabularPlan:
        """The plan of a fitted input."""
        assert self.plan is not None, "fit first"
        return self.plan

    def prepare(self, records: TableRecords) -> TableTensors:
        """Every row as tensors."""
        columns = [scaled(records.numbers[:, i], plan) for i, plan in enumerate(self.learned.numbers)]
        numbers = np.column_stack(columns) if columns else records.numbers
        missing = np.isnan(records.numbers)
        return TableTensors(
            present=torch.from_numpy(_known(records)),
            numbers=torch.from_numpy(np.where(missing, 0.0, numbers).astype(np.float32)),
            missing=torch.from_numpy(missing),
            few=_codes(records, self.learned.few),
            many=_codes(records, self.learned.many),
        )

    def collate(self, ready: TableTensors, index: Int[np.ndarray, " batch"]) -> TableTensors:
        """Some rows."""
        chosen = torch.from_numpy(index)
        return TableTensors(
            ready.present[chosen], ready.numbers[chosen], ready.missing[chosen], ready.few[chosen], ready.many[chosen]
        )

    def augment(self, tensors: TableTensors, generator: Generator) -> tuple[TableTensors, Movement]:
        """Noise on the numbers and forgotten values, where the options ask for them."""
        if self.options.noise:
            shape = tensors.numbers.shape
            drawn = torch.randn(shape, generator=generator, device=generator.device).to(tensors.numbers.device)
            tensors = replace(tensors, numbers=tensors.numbers + self.options.noise * drawn)
        if self.options.forget:
            tensors = _forget(tensors, self.options.forget, self.learned, generator)
        return tensors, STILL

    def encoder(self, width: int, size: Size, dropout: float | None) -> nn.Module:
        """From tensors to one token per row and member."""
        columns = Columns(
            edges=tuple(number.edges for number in self.learned.numbers),
            absent=tuple(i for i, number in enumerate(self.learned.numbers) if number.absent),
            few=tuple(category.levels for category in self.learned.few),
            many=tuple(category.levels for category in self.learned.many),
        )
        return _Encoder(TableNetwork(columns, width, _shape(self.options, size, dropout)))

    def members(self, size: Size) -> int:
        """How many networks the ensemble has; 1 without an ensemble."""
        return max(_shape(self.options, size, None).members, 1)

    def summarise(self, records: TableRecords) -> Features:
        """Numbers as they are, categories as codes in the order of their words."""
        codes = [np.where(c.codes < 0, np.nan, c.codes.astype(float)) for c in records.categories.values()]
        matrix = np.column_stack([records.numbers, *codes])
        categorical = (False,) * len(records.numeric) + (True,) * len(codes)
        return Features(matrix, (*records.numeric, *records.categories), categorical)

    def fingerprints(self, records: TableRecords) -> UInt64[np.ndarray, " sample"]:
        """A hash of the row's content; 0 for a row too plain to be told from others."""
        return row_hashes(records.numbers, tuple(records.categories.values()))

    def show(self, records: TableRecords, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The row as a table, with a bar per column where an explanation is given."""
        names = (*records.numeric, *records.categories)
        return bar_table(self.name, names, _shown(records, position), attribution)

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Two numbers and a stage carry the signal, three numbers and a ward do not; some values are missing."""
        rows = len(signal)
        marker = 50 + 10 * (signal + 0.5 * rng.standard_normal(rows))
        ratio = np.exp(0.5 * (signal + rng.standard_normal(rows)))
        stage = np.digitize(signal + 0.7 * rng.standard_normal(rows), [-0.8, 0.5])
        noise = rng.standard_normal((rows, 3)) * [1, 5, 20] + [0, 30, 120]
        columns: dict[str, Any] = {f"{name}_marker": marker, f"{name}_ratio": ratio}
        columns |= {f"{name}_noise_{i + 1}": noise[:, i] for i in range(3)}
        absent = rng.random((rows, len(columns))) < 0.08
        kept = {
            column: [None if gone else round(float(value), 3) for value, gone in zip(values, absent[:, i], strict=True)]
            for i, (column, values) in enumerate(columns.items())
        }
        words = {f"{name}_stage": np.array(["I", "II", "III"])[stage], f"{name}_ward": rng.choice(["A", "B"], rows)}
        return pl.DataFrame({**kept, **words}), {"columns": [*kept, *words]}

    def parameters_note(self) -> Iterator[str]:
        """How numbers and categories were prepared."""
        numbers, levels = len(self.learned.numbers), len(self.learned.categories)
        yield Phrase("{n} numbers were centred and scaled by median and interquartile range.", n=numbers)
        yield Phrase("{n} categories have levels of their own for rare words and missing values.", n=levels)
        yield Phrase("A missing number is marked as missing; nothing is filled in.")


class _Encoder(nn.Module):
    """``TableNetwork`` from a record to a record."""

    def __init__(self, network: TableNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tensors: TableTensors) -> Encoded:
        vectors = self.network(tensors.numbers, tensors.missing, tensors.few, tensors.many)
        members = vectors.shape[1]
        present = tensors.present.repeat_interleave(members)
        return Encoded(vectors.flatten(0, 1)[:, None], present[:, None], members=members)


def _shape(options: TabularOptions, size: Size, dropout: float | None) -> TableShape:
    """The network of that size, with what the study says otherwise."""
    shape = replace(_SHAPES[size], dropout=_DROPOUT if dropout is None else dropout)
    if options.encoder == "linear":
        return replace(shape, members=0)
    if options.encoder == "mlp":
        return replace(shape, members=1)
    return shape if options.members == "auto" else replace(shape, members=options.members)


def _known(records: TableRecords) -> Bool[np.ndarray, " sample"]:
    """Rows with at least one value."""
    known = [(~np.isnan(records.numbers)).any(1)] + [column.codes >= 0 for column in records.categories.values()]
    return np.asarray(np.logical_or.reduce(known))


def _pieces(rows: int) -> int:
    return int(np.clip(rows // 50, 4, 48))


def _codes(records: TableRecords, plans: tuple[CategoryPlan, ...]) -> Int[Tensor, "row category"]:
    """Codes that count through the levels of all ``plans``; the one beyond the last says nothing."""
    silent = sum(plan.levels for plan in plans)
    codes = np.full((len(records), len(plans)), silent, dtype=np.int64)
    start = 0
    for i, plan in enumerate(plans):
        level = coded(records.categories[plan.name], plan)
        codes[:, i] = np.where(level < 0, silent, level + start)
        start += plan.levels
    return torch.from_numpy(codes)


def _forget(tensors: TableTensors, share: float, plan: TabularPlan, generator: Generator) -> TableTensors:
    """Take values away at random: a forgotten number is missing, a forgotten category says nothing."""

    def drawn(like: Tensor) -> Bool[Tensor, "batch column"]:
        return (torch.rand(like.shape, generator=generator, device=generator.device) < share).to(like.device)

    gone = drawn(tensors.numbers)
    return replace(
        tensors,
        numbers=tensors.numbers.masked_fill(gone, 0.0),
        missing=tensors.missing | gone,
        few=tensors.few.masked_fill(drawn(tensors.few), sum(c.levels for c in plan.few)),
        many=tensors.many.masked_fill(drawn(tensors.many), sum(c.levels for c in plan.many)),
    )


def _unknown(
    name: str, options: TabularOptions, table: str, columns: tuple[str, ...], offered: tuple[str, ...]
) -> list[Finding]:
    """Columns that the study names and the table does not have."""
    asked = {"columns": columns, "numeric": options.numeric, "categorical": options.categorical}
    return [
        absent_column(f"[inputs.{name}] {key}", column, offered)
        for key, names in asked.items()
        for column in names
        if column not in offered
    ]


def _plain(records: TableRecords, fitted: bool) -> list[Finding]:
    """Columns that say nothing: no value, one value, or another word in nearly every row."""
    findings = []
    for i, name in enumerate(records.numeric):
        known = records.numbers[~np.isnan(records.numbers[:, i]), i]
        findings += _empty_or_constant(records.table, name, len(known), len(np.unique(known)), fitted)
    for name, column in records.categories.items():
        known = int((column.codes >= 0).sum())
        findings += _empty_or_constant(records.table, name, known, len(column.words), fitted)
        if not fitted and len(column.words) > max(_MANY_LEVELS, known / 2):
            findings.append(_like_a_name(records.table, name))
    return findings


def _empty_or_constant(table: str, column: str, known: int, different: int, fitted: bool) -> list[Finding]:
    place = f'{table} column "{column}"'
    if known == 0:
        severity = Severity.WARNING if fitted else Severity.ERROR
        remedy = "Fill it, or leave it out of the study (columns, or leave_out)."
        return [Finding("empty_column", place, "must hold values", "all are missing", remedy, severity)]
    if different == 1 and not fitted:
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


def _shown(records: TableRecords, position: int) -> list[str]:
    """The values of one row in words; a dash where missing."""
    numbers = ["\N{EN DASH}" if np.isnan(value) else f"{value:.4g}" for value in records.numbers[position]]
    columns = records.categories.values()
    codes = [(column.words, int(column.codes[position])) for column in columns]
    return numbers + ["\N{EN DASH}" if code < 0 else words[code] for words, code in codes]
