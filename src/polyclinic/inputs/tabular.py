"""Numbers and categories from the columns of the table itself: laboratory values, vital signs, history."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from pydantic import AfterValidator, Field
from pydantic_core import PydanticKnownError
from torch import Generator, Tensor, nn

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, StudyError, stop_on
from polyclinic.formats.columns.column_patterns import left_in
from polyclinic.formats.columns.column_types import absent_column
from polyclinic.inputs.base import Input, Prepared, learned
from polyclinic.layers.tables.table import Columns, TableNetwork, TableShape
from polyclinic.records.base import ColumnCells
from polyclinic.records.tables.scaling import CategoryPlan, NumberPlan, coded, learn_category, learn_number, scaled
from polyclinic.records.tables.table import MANY_LEVELS, TableRecords
from polyclinic.records.tables.training_range import training_range
from polyclinic.records.tables.variables import read_variables
from polyclinic.study import catalogue
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoded, Encoder, InputTensors, Movement
from polyclinic.translations.phrase import Phrase

_OURS = ("auto", "tabm", "mlp", "linear")


def _known_network(name: str) -> str:
    offered = (*_OURS, *catalogue.names("networks"))
    if name not in offered:
        raise PydanticKnownError("literal_error", {"expected": " or ".join(f"'{one}'" for one in offered)})
    return name


class TabularOptions(InputOptions):
    """[inputs.<name>] with kind = "tabular"."""

    columns: Literal["rest"] | tuple[str, ...] = "rest"
    """Columns to read; "rest" = every column that nothing else uses."""
    leave_out: tuple[str, ...] = ()
    """Columns to leave out of "rest", such as an identifier; * stands for any signs, as in "lab_*"."""
    numeric: tuple[str, ...] = ()
    """Columns that hold numbers, where the table leaves doubt."""
    categorical: tuple[str, ...] = ()
    """Columns that hold categories though they look like numbers, such as a code made of digits."""
    encoder: Annotated[str, AfterValidator(_known_network)] = "auto"
    """Network: "tabm" (an ensemble inside one network), "mlp" or "linear", or the name of one that an installed package
    offers; "auto" is "tabm"."""
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
class TableTensors(InputTensors):
    """Rows of a table as ``TableNetwork`` takes them: scaled numbers, 0 where missing, and codes."""

    numbers: Float[Tensor, "batch number"]
    missing: Bool[Tensor, "batch number"]
    few: Int[Tensor, "batch few"]
    many: Int[Tensor, "batch many"]


@dataclass(frozen=True)
class PreparedTable(Prepared):
    """All rows as tensors.

    Attributes:
        tensors: Of all rows.
        noise: Standard deviation of the random change of each number while training.
        forget: Share of the values taken away at random while training.
        silent: The codes that say nothing: of categories with few levels, and of those with many.
    """

    tensors: TableTensors
    noise: float
    forget: float
    silent: tuple[int, int]

    def collate(self, index: Int[np.ndarray, " batch"]) -> TableTensors:
        """Some rows."""
        chosen = torch.from_numpy(index)
        return TableTensors(*(tensor[chosen] for tensor in vars(self.tensors).values()))

    def augment(self, tensors: TableTensors, generator: Generator) -> tuple[TableTensors, Movement]:
        """Noise on the numbers and forgotten values, where the options ask for them."""
        if self.noise:
            shape = tensors.numbers.shape
            noise = torch.randn(shape, generator=generator, device=generator.device).to(tensors.numbers.device)
            tensors = replace(tensors, numbers=tensors.numbers + self.noise * noise)
        return self._forgotten(tensors, generator) if self.forget else tensors, STILL

    def _forgotten(self, tensors: TableTensors, generator: Generator) -> TableTensors:
        """Values taken away at random: a forgotten number is missing, a forgotten category says nothing."""

        def some(like: Tensor) -> Bool[Tensor, "batch column"]:
            chance = torch.rand(like.shape, generator=generator, device=generator.device)
            return (chance < self.forget).to(like.device)

        gone = some(tensors.numbers)
        return replace(
            tensors,
            numbers=tensors.numbers.masked_fill(gone, 0.0),
            missing=tensors.missing | gone,
            few=tensors.few.masked_fill(some(tensors.few), self.silent[0]),
            many=tensors.many.masked_fill(some(tensors.many), self.silent[1]),
        )


_DROPOUT = 0.1
"""A round number; no measurement of it is on record."""
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
    quick = True
    options: TabularOptions
    plan: TabularPlan | None

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The columns named, or all that are offered but those left out; once fitted, those it was fitted on."""
        if self.plan is not None:
            return self.plan.names
        if self.options.columns == "rest":
            return left_in(offered, self.options.leave_out)
        return self.options.columns

    def left_out(self) -> tuple[str, ...]:
        """The columns that the study leaves out."""
        return self.options.leave_out

    def words(self) -> tuple[str, ...]:
        """The categories: those that the study names, once fitted those that were learned."""
        return self.options.categorical if self.plan is None else tuple(c.name for c in self.plan.categories)

    def numbers(self) -> tuple[str, ...]:
        """The numbers: those that the study names, once fitted those that were learned."""
        return self.options.numeric if self.plan is None else tuple(c.name for c in self.plan.numbers)

    def read(self, cells: ColumnCells) -> TableRecords:
        """Cells to numbers and categories; once fitted, every column is of the type that it was fitted on.

        Raises:
            CohortError: unknown columns, text in a number column, dates and other things that are neither.
        """
        offered = tuple(cells.frame.columns)
        stop_on(_unknown(self.name, self.options, cells.table, self.columns(offered), offered), CohortError)
        numeric = self.options.numeric
        categorical = self.options.categorical
        if self.plan is not None:
            numeric = tuple(c.name for c in self.plan.numbers)
            categorical = tuple(c.name for c in self.plan.categories)
        frame = cells.frame.select(self.columns(offered))
        numbers, categories = read_variables(frame, cells.table, numeric, categorical)
        matrix = np.column_stack(list(numbers.values())) if numbers else np.empty((len(frame), 0))
        required = self.options.missing == "refuse"
        if self.plan is None:
            return TableRecords(self.name, cells.table, tuple(numbers), matrix, categories, required)
        ranges = tuple(training_range(plan) for plan in self.plan.numbers)
        learned = self.plan.categories
        return TableRecords(self.name, cells.table, tuple(numbers), matrix, categories, required, learned, ranges)

    def fit(self, records: TableRecords, rows: TrainRows) -> Self:
        """Scales, quantiles and levels from training rows only."""
        pieces = int(np.clip(len(rows) // 50, 4, 48)) if self.options.pieces == "auto" else self.options.pieces
        numbers = [learn_number(name, records.numbers[rows.index, i], pieces) for i, name in enumerate(records.numeric)]
        rare = max(3, len(rows) // 3500) if self.options.rare == "auto" else self.options.rare
        categories = [learn_category(name, column, rows.index, rare) for name, column in records.categories.items()]
        plan = TabularPlan(
            rows=len(rows),
            numbers=tuple(numbers),
            few=tuple(c for c in categories if c.levels <= MANY_LEVELS),
            many=tuple(c for c in categories if c.levels > MANY_LEVELS),
        )
        return type(self)(self.name, self.options, plan)

    def prepare(self, records: TableRecords) -> PreparedTable:
        """Every row as tensors."""
        plan = learned(self.plan)
        columns = [scaled(records.numbers[:, i], number) for i, number in enumerate(plan.numbers)]
        numbers = np.column_stack(columns) if columns else records.numbers
        missing = np.isnan(records.numbers)
        tensors = TableTensors(
            present=torch.from_numpy(records.present),
            numbers=torch.from_numpy(np.where(missing, 0.0, numbers).astype(np.float32)),
            missing=torch.from_numpy(missing),
            few=_codes(records, plan.few),
            many=_codes(records, plan.many),
        )
        return PreparedTable(tensors, self.options.noise, self.options.forget, (_silent(plan.few), _silent(plan.many)))

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From tensors to one token per row and member."""
        columns = Columns(
            edges=tuple(number.edges for number in learned(self.plan).numbers),
            absent=tuple(i for i, number in enumerate(learned(self.plan).numbers) if number.absent),
            few=tuple(category.levels for category in learned(self.plan).few),
            many=tuple(category.levels for category in learned(self.plan).many),
        )
        if self.options.encoder not in _OURS:
            return _TableEncoder(_NetworkOfPackage(self.options.encoder, columns, width, size))
        return _TableEncoder(TableNetwork(columns, width, _shape(self.options, size, dropout)))

    def members(self, size: Size) -> int:
        """How many networks the ensemble has; 1 without an ensemble, as a network of a package is."""
        if self.options.encoder not in _OURS:
            return 1
        return max(_shape(self.options, size, None).members, 1)

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
        numbers, levels = len(learned(self.plan).numbers), len(learned(self.plan).categories)
        yield Phrase("{n} numbers were centred and scaled by median and interquartile range.", n=numbers)
        yield Phrase("{n} categories have levels of their own for rare words and missing values.", n=levels)
        yield Phrase("A missing number is marked as missing; nothing is filled in.")


class _NetworkOfPackage(nn.Module):
    """A network that an installed package offers, held to what every network for tables gives: a vector for each row.

    Raises:
        StudyError: if it is no network, or gives something else.
    """

    def __init__(self, name: str, columns: Columns, width: int, size: Size) -> None:
        super().__init__()
        offered = catalogue.find("networks", name)
        if not (isinstance(offered, type) and issubclass(offered, nn.Module)):
            rule = "a network must be a class of torch modules, made from columns, width and size"
            raise StudyError(catalogue.refused("networks", name, rule, "it is none"))
        self.name = name
        self.width = width
        self.network = offered(columns, width, size)

    def forward(
        self,
        numbers: Float[Tensor, "batch number"],
        missing: Bool[Tensor, "batch number"],
        few: Int[Tensor, "batch few"],
        many: Int[Tensor, "batch many"],
    ) -> Float[Tensor, "batch 1 width"]:
        vectors: Tensor = self.network(numbers, missing, few, many)
        if vectors.shape != (len(numbers), self.width):
            rule, found = f"must give {self.width} numbers for each row", f"it gives {tuple(vectors.shape[1:])}"
            raise StudyError(catalogue.refused("networks", self.name, rule, found))
        return vectors[:, None]


class _TableEncoder(Encoder):
    """A network for tables from a record to a record."""

    def __init__(self, network: TableNetwork | _NetworkOfPackage) -> None:
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


def _codes(records: TableRecords, plans: tuple[CategoryPlan, ...]) -> Int[Tensor, "row category"]:
    """Codes that count through the levels of all ``plans``; the one beyond the last says nothing."""
    silent = _silent(plans)
    codes = np.full((len(records), len(plans)), silent, dtype=np.int64)
    start = 0
    for i, plan in enumerate(plans):
        level = coded(records.categories[plan.name], plan)
        codes[:, i] = np.where(level < 0, silent, level + start)
        start += plan.levels
    return torch.from_numpy(codes)


def _silent(plans: tuple[CategoryPlan, ...]) -> int:
    """The code that says nothing: the one beyond the levels of all."""
    return sum(plan.levels for plan in plans)


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
