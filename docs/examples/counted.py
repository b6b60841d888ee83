"""How often something will happen: attacks of asthma in a year, falls in a ward."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import polars as pl
import torch
from count_answer import CountAnswer
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.cohort.outcomes import absent_columns, numbers, rows_where
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, stop_on
from polyclinic.heads.base import Global, Target
from polyclinic.layers.readout import Readout
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import TargetTensors

# Logarithm of a million events: far above what anybody counts; it keeps an absurd output finite.
_MOST = float(np.log(1e6))


class CountedOptions(TargetOptions):
    """Keys of a target of kind "counted"."""

    column: str
    """Column that holds the number of events. An empty cell means: not known."""
    what: str = "events"
    """What is counted."""


class CountedPlan(Plan):
    """What a counted head learned."""

    mean: float
    factor: float = 1.0
    """By this all expectations are multiplied: what was counted among tune rows, over what was expected."""


@dataclass(frozen=True)
class CountTarget(Target):
    """The number of each row, NaN where not known."""

    number: Float[np.ndarray, " sample"]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """None, one or several."""
        return np.where(self.known, np.minimum(self.number, 2), -1).astype(np.int64)


@dataclass(frozen=True)
class CountTensors(TargetTensors):
    """The number of each row of a batch."""

    number: Float[Tensor, " batch"]


@final
class Counted(Global):
    """A number of events, as the rate of a Poisson distribution. One output: the logarithm of the rate."""

    Options = CountedOptions
    Plan = CountedPlan
    form = "count"

    def columns(self) -> tuple[str, ...]:
        """The column of the number."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> CountTarget:
        """The number of each row.

        Raises:
            CohortError: no such column, no known number, cells that are no whole numbers from 0.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        read = numbers(frame[self.options.column])
        place = f'{table} column "{self.options.column}"'
        whole = (read.value >= 0) & (read.value == np.round(read.value))
        cells = frame[self.options.column].is_not_null().to_numpy()
        if rows := rows_where(cells & ~whole):
            rule, remedy = "must be a whole number, 0 or more", "Correct the cells, or leave them empty."
            raise CohortError(Finding("no_count", place, rule, f"{len(rows)} cells are not", remedy, rows=rows))
        if not read.known.any():
            rule, remedy = "must hold the number", "Name another column."
            raise CohortError(Finding("no_outcome", place, rule, f"all {len(frame)} cells are empty", remedy))
        return CountTarget(read.known, read.value)

    def fit(self, target: CountTarget, rows: TrainRows) -> Self:
        """Learn the mean from training rows."""
        known = target.number[rows.index][target.known[rows.index]]
        return type(self)(self.name, self.options, CountedPlan(mean=(float(known.sum()) + 0.5) / (len(known) + 1)))

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A linear readout that starts at the mean."""
        return Readout(width, np.log(np.array([self.plan.mean])), members)

    def collate(self, target: CountTarget, index: Int[np.ndarray, " batch"]) -> CountTensors:
        """The numbers of some rows."""
        number = torch.from_numpy(target.number[index].astype(np.float32))
        return CountTensors(~number.isnan(), number.nan_to_num(0.0))

    def loss(
        self, output: Float[Tensor, "batch member out"], target: CountTensors, smoothing: float = 0.0
    ) -> Float[Tensor, " batch"]:
        """Minus the Poisson log-likelihood, averaged over members; ``smoothing`` has no meaning here."""
        rate = output[..., 0].float().clamp(max=_MOST)
        each = F.poisson_nll_loss(rate, target.number[:, None].expand(rate.shape), reduction="none")
        return torch.where(target.known, each.mean(dim=1), 0.0)

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: CountTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn from tune rows by how much all expectations are too low or too high."""
        known = target.known
        expected = float(self._rate(outputs)[known].sum())
        if method == "none" or expected == 0:
            return self
        factor = (float(target.number[known].sum()) + 1) / (expected + 1)  # one event more keeps it above 0
        return type(self)(self.name, self.options, self.plan.model_copy(update={"factor": factor}))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: CountTarget | None) -> CountAnswer:
        """Outputs to expected numbers, corrected and averaged over members."""
        truth = np.full(len(outputs), np.nan) if target is None else target.number
        return CountAnswer(self.options.what, self.plan.factor * self._rate(outputs), truth)

    def _rate(self, outputs: Float[np.ndarray, "sample member out"]) -> Float[np.ndarray, " sample"]:
        return np.asarray(np.exp(np.minimum(outputs[..., 0], _MOST).astype(np.float64)).mean(axis=1))

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """About one attack a year, more where the signal is strong."""
        number = rng.poisson(np.exp(0.2 + 0.8 * signal))
        return pl.DataFrame({name: number}), {"column": name, "what": "attacks"}
