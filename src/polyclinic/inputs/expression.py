"""Thousands of genes, few patients: expression by microarray or sequencing, one column per gene."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, stop_on
from polyclinic.formats.columns.column_patterns import left_in
from polyclinic.formats.columns.column_types import absent_column
from polyclinic.inputs.base import Input, Prepared, learned
from polyclinic.layers.tables.components import ComponentNetwork, principal_components
from polyclinic.records.base import ColumnCells
from polyclinic.records.tables.genes import Genes, looks_raw
from polyclinic.records.tables.variables import read_variables
from polyclinic.study.options import InputOptions
from polyclinic.study.options import Plan as BasePlan
from polyclinic.study.schema import Size
from polyclinic.tensors import Encoded, Encoder, InputTensors
from polyclinic.translations.phrase import Phrase


class ExpressionOptions(InputOptions):
    """[inputs.<name>] with kind = "expression"."""

    columns: Literal["rest"] | tuple[str, ...] = "rest"
    """Columns to read, one per gene; "rest" = every column that nothing else uses."""
    prefix: str = ""
    """Of "rest", only the columns whose name begins so, such as "ENSG"."""
    leave_out: tuple[str, ...] = ()
    """Columns to leave out of "rest": names, or patterns in which * stands for any signs, such as "AFFX*"."""
    log: Literal["auto", "yes", "no"] = "auto"
    """Whether to take logarithms; "auto" does where values go beyond 100, which logarithms of expression never do."""
    level: Literal["auto", "yes", "no"] = "auto"
    """Whether to take out each sample's own mean and spread; "auto" does where it takes logarithms."""
    genes: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Genes to keep, those that vary most among training rows; by default 10 per training row, from 500 to 2000."""
    components: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Principal components of these genes that the network sees; by default from the size."""
    encoder: Literal["auto", "mlp", "linear"] = "auto"
    """Network on the components: "linear", or "mlp" (linear and curved); "auto" is "mlp"."""


class ExpressionPlan(BasePlan):
    """Constants from training rows.

    Attributes:
        columns: All genes read.
        log: Whether logarithms are taken.
        floor: Level of noise below which the logarithm turns linear, in the table's unit.
        level: Whether each sample's own mean and spread are taken out.
        genes: Positions in ``columns`` of the genes that vary most.
        center: Mean of each of them, after logarithm and level.
        scale: Standard deviation of each.
        components: Loadings of the principal components, most important first.
    """

    columns: tuple[str, ...]
    log: bool
    floor: float
    level: bool
    genes: tuple[int, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ExpressionTensors(InputTensors):
    """Standardised genes of the panel, 0 where missing: such a gene adds nothing to any component."""

    values: Float[Tensor, "batch gene"]


@dataclass(frozen=True)
class PreparedGenes(Prepared):
    """All samples as tensors. Nothing is changed while training: the network itself leaves out half of the genes."""

    tensors: ExpressionTensors

    def collate(self, index: Int[np.ndarray, " batch"]) -> ExpressionTensors:
        """Some samples."""
        chosen = torch.from_numpy(index)
        return ExpressionTensors(self.tensors.present[chosen], self.tensors.values[chosen])


_COMPONENTS = {Size.TINY: 16, Size.SMALL: 32, Size.MEDIUM: 48, Size.LARGE: 64}
_MOST_COMPONENTS = max(_COMPONENTS.values())
_DROPOUT = 0.5
"""Half of the genes, for patients are few and genes many; no measurement of it is on record."""
_FAR = 10.0
"""Standard deviations; at most 1 value in 100 of any distribution lies so far out (Chebyshev's inequality)."""
_DIGITS = 6
"""Of a loading in the plan: as many as single precision holds."""


@final
class Expression(Input):
    """Expression of genes: logarithm, level and panel from training rows, a few components, a small network."""

    Options = ExpressionOptions
    Plan = ExpressionPlan
    quick = True
    options: ExpressionOptions
    plan: ExpressionPlan | None

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The columns named, or all that are offered and begin with the prefix; once fitted, those fitted on."""
        if self.plan is not None:
            return self.plan.columns
        if self.options.columns == "rest":
            begin = tuple(name for name in offered if name.startswith(self.options.prefix))
            return left_in(begin, self.options.leave_out)
        return self.options.columns

    def left_out(self) -> tuple[str, ...]:
        """The columns that the study leaves out."""
        return self.options.leave_out

    def read(self, cells: ColumnCells) -> Genes:
        """Cells to numbers.

        Raises:
            CohortError: unknown columns, no column at all, text in a column.
        """
        offered = tuple(cells.frame.columns)
        wanted, there = self.columns(offered), frozenset(offered)
        place = f"[inputs.{self.name}] columns"
        findings = [absent_column(place, name, offered) for name in wanted if name not in there]
        stop_on(findings if wanted else [_no_genes(self.name, self.options.prefix)], CohortError)
        numbers, _ = read_variables(cells.frame.select(wanted), cells.table, wanted, ())
        values = np.column_stack(list(numbers.values()))
        return Genes(
            name=self.name,
            table=cells.table,
            genes=wanted,
            values=values,
            required=self.options.missing == "refuse",
            raw=None if self.options.log == "auto" else self.options.log == "yes",
            fitted_raw=None if self.plan is None else self.plan.log,
            far={} if self.plan is None else _far(values, self.plan),
        )

    def fit(self, records: Genes, rows: TrainRows) -> Self:
        """Unit, panel, scales and components from training rows only."""
        values = records.values[rows.index]
        log = looks_raw(values) if self.options.log == "auto" else self.options.log == "yes"
        level = log if self.options.level == "auto" else self.options.level == "yes"
        floor = _noise(values)
        plain = _transform(values, log, floor, level)
        most = int(np.clip(10 * len(rows), 500, 2000)) if self.options.genes == "auto" else self.options.genes
        genes = np.sort(np.argsort(-_moments(plain)[1], kind="stable")[:most])  # in the order of the table
        center, spread = _moments(plain[:, genes])
        scale = _divisor(spread)
        standard = torch.from_numpy(np.nan_to_num((plain[:, genes] - center) / scale))
        components = principal_components(standard, self._components(None)).numpy()
        plan = ExpressionPlan(
            columns=records.genes,
            log=log,
            floor=floor,
            level=level,
            genes=tuple(int(gene) for gene in genes),
            center=tuple(float(value) for value in center),
            scale=tuple(float(value) for value in scale),
            components=tuple(tuple(round(float(x), _DIGITS) for x in component) for component in components),
        )
        return type(self)(self.name, self.options, plan)

    def _components(self, size: Size | None) -> int:
        """How many components the network of that size sees; without a size, the most that any sees."""
        if self.options.components != "auto":
            return self.options.components
        return _MOST_COMPONENTS if size is None else _COMPONENTS[size]

    def prepare(self, records: Genes) -> PreparedGenes:
        """Every sample as standardised genes of the panel."""
        plan = learned(self.plan)
        standard = np.nan_to_num(_standard(records.values, plan)).astype(np.float32)
        present = ~np.isnan(records.values).all(axis=1)
        return PreparedGenes(ExpressionTensors(torch.from_numpy(present), torch.from_numpy(standard)))

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From tensors to one token per sample."""
        components = torch.tensor(learned(self.plan).components)[: self._components(size)]
        share = _DROPOUT if dropout is None else dropout
        return _GeneEncoder(ComponentNetwork(components, width, share, self.options.encoder != "linear"))

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """600 genes in raw units, of which the first 10 rise with the signal; two of 1000 values are missing."""
        rows, genes = len(signal), 600
        logarithm = rng.uniform(5, 11, genes) + 0.6 * rng.standard_normal((rows, genes))
        logarithm[:, :10] += signal[:, None]
        logarithm += 0.3 * rng.standard_normal((rows, 1))  # more or less material in the tube
        values = np.where(rng.random((rows, genes)) < 0.002, np.nan, np.round(2**logarithm, 2))
        columns = {f"{name}_gene_{i + 1:03d}": pl.Series(values[:, i]).fill_nan(None) for i in range(genes)}
        return pl.DataFrame(columns), {"prefix": f"{name}_gene_"}

    def parameters_note(self) -> Iterator[str]:
        """How the genes were prepared."""
        plan = learned(self.plan)
        if plan.log:
            yield Phrase("Logarithms to base 2 were taken, linear below {floor:.3g}.", floor=plan.floor)
        if plan.level:
            yield Phrase("The mean and spread of each sample over its genes were taken out.")
        kept = "The {n} of {all} genes that varied most among training rows were kept."
        yield Phrase(kept, n=len(plan.genes), all=len(plan.columns))


class _GeneEncoder(Encoder):
    """``ComponentNetwork`` from a record to a record."""

    def __init__(self, network: ComponentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tensors: ExpressionTensors) -> Encoded:
        return Encoded(self.network(tensors.values)[:, None], tensors.present[:, None])


def _standard(values: Float[np.ndarray, "sample gene"], plan: ExpressionPlan) -> Float[np.ndarray, "sample kept"]:
    """The genes of the panel, centred and scaled as the training rows were; NaN where missing."""
    plain = _transform(values, plan.log, plan.floor, plan.level)[:, list(plan.genes)]
    standard: Float[np.ndarray, "sample kept"] = (plain - np.array(plan.center)) / np.array(plan.scale)
    return standard


def _far(values: Float[np.ndarray, "sample gene"], plan: ExpressionPlan) -> dict[str, Bool[np.ndarray, " sample"]]:
    """By the genes of the panel, which samples lie far from the training rows."""
    far = np.abs(_standard(values, plan)) > _FAR
    return {plan.columns[gene]: far[:, i] for i, gene in enumerate(plan.genes)}


def _noise(values: Float[np.ndarray, "sample gene"]) -> float:
    """Twice the size of the noise, as the values below zero show it; 1 where there are none, as with counts."""
    negative = values[values < 0]
    return 2 * float(np.sqrt(np.mean(negative**2))) if len(negative) else 1.0


def _transform(
    values: Float[np.ndarray, "sample gene"], log: bool, floor: float, level: bool
) -> Float[np.ndarray, "sample gene"]:
    """Logarithm that is linear near and below zero, then each sample to mean 0 and spread 1. Row by row.

    Source: the generalised logarithm of Huber et al., Bioinformatics 18 Suppl 1, 2002.
    """
    if log:
        values = np.arcsinh(values / floor) / np.log(2) + np.log2(floor / 2)
    if not level:
        return values
    mean, spread = _moments(values.T)
    levelled: Float[np.ndarray, "sample gene"] = (values - mean[:, None]) / _divisor(spread)[:, None]
    return levelled


def _moments(
    values: Float[np.ndarray, "case column"],
) -> tuple[Float[np.ndarray, " column"], Float[np.ndarray, " column"]]:
    """Mean and standard deviation of each column over what is known; 0 where nothing is."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    return mean, np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)


def _divisor(spread: Float[np.ndarray, " column"]) -> Float[np.ndarray, " column"]:
    """A spread to divide by: 1 where nothing varies."""
    return np.where(spread > 0, spread, 1.0)


def _no_genes(name: str, prefix: str) -> Finding:
    found = f'no column begins with "{prefix}"' if prefix else "no column is left"
    return Finding(
        "no_genes", f"[inputs.{name}]", "needs at least one column", found, "Check columns, prefix and leave_out."
    )
