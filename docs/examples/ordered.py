"""Grades in order, such as mild, moderate and severe: being wrong by two grades is worse than by one."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.answers.classes import ClassAnswer
from polyclinic.cohort.outcomes import absent_columns, rows_where, spell, words
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration, two_sided
from polyclinic.errors import CohortError, Finding, stop_on
from polyclinic.heads.base import Global, Target
from polyclinic.layers.readout import Readout
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import TargetTensors


class OrderedOptions(TargetOptions):
    """Keys of a target of kind "ordered"."""

    column: str
    """Column that holds the grade. An empty cell means: not known."""
    grades: tuple[int | str, ...] = Field(min_length=2)
    """All grades, from the lowest to the highest."""


class OrderedPlan(Plan):
    """What an ordered head learned."""

    above: tuple[float, ...]
    """Share of the training rows above each grade but the highest."""
    corrections: tuple[Recalibration, ...]


@dataclass(frozen=True)
class GradeTarget(Target):
    """The place of each row's grade, -1 where not known."""

    grade: Int[np.ndarray, " sample"]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The grade itself."""
        return self.grade

    def check(self, place: str) -> list[Finding]:
        """Rows without a grade."""
        return super().check(place)


@dataclass(frozen=True)
class GradeTensors(TargetTensors):
    """1 for every grade but the highest that a row of the batch lies above."""

    above: Float[Tensor, "batch step"]


@final
class Ordered(Global):
    """A grade as a probability for each, by asking for every grade: is it worse than that?

    One output per grade but the highest, the log odds of lying above it.

    Source: Frank & Hall, A simple approach to ordinal classification, ECML 2001.
    """

    Options = OrderedOptions
    Plan = OrderedPlan
    form = "classes"
    strata_are_classes = True

    def columns(self) -> tuple[str, ...]:
        """The column of the grade."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> GradeTarget:
        """The grade of each row.

        Raises:
            CohortError: no such column, no known grade, cells that are none of the grades.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        place, grades = f'{table} column "{self.options.column}"', [spell(grade) for grade in self.options.grades]
        cells = words(frame[self.options.column])
        grade = np.array([-1 if cell is None else grades.index(cell) if cell in grades else -2 for cell in cells])
        if (grade == -2).any():
            rows = rows_where(grade == -2)
            rule, remedy = f"must be one of {', '.join(grades)}", "Correct the cells, or add the grade."
            raise CohortError(Finding("unknown_grade", place, rule, f"{len(rows)} cells are not", remedy, rows=rows))
        if not (grade >= 0).any():
            rule, remedy = "must hold the grade", "Name another column."
            raise CohortError(Finding("no_outcome", place, rule, f"all {len(grade)} cells are empty", remedy))
        return GradeTarget(grade >= 0, grade)

    def fit(self, target: GradeTarget, rows: TrainRows) -> Self:
        """Learn how common each grade is among training rows."""
        known = target.grade[rows.index]
        known = known[known >= 0]
        steps = range(len(self.options.grades) - 1)
        above = tuple((float((known > step).sum()) + 0.5) / (len(known) + 1) for step in steps)
        return type(self)(
            self.name, self.options, OrderedPlan(above=above, corrections=(Recalibration(),) * len(above))
        )

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A linear readout that starts at how common each grade is."""
        above = np.array(self.plan.above)
        return Readout(width, np.log(above) - np.log1p(-above), members)

    def collate(self, target: GradeTarget, index: Int[np.ndarray, " batch"]) -> GradeTensors:
        """The grades of some rows."""
        grade = target.grade[index]
        above = grade[:, None] > np.arange(len(self.options.grades) - 1)
        return GradeTensors(torch.from_numpy(grade >= 0), torch.from_numpy(above.astype(np.float32)))

    def loss(
        self, output: Float[Tensor, "batch member out"], target: GradeTensors, smoothing: float = 0.0
    ) -> Float[Tensor, " batch"]:
        """Cross-entropy of every "is it worse than that", summed, averaged over members."""
        goal = (target.above * (1 - smoothing) + smoothing / 2)[:, None].expand(output.shape)
        each = F.binary_cross_entropy_with_logits(output.float(), goal, reduction="none").sum(dim=2).mean(dim=1)
        return torch.where(target.known, each, 0.0)

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: GradeTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn a correction for each step from tune rows."""
        known = target.known
        whose = None if patient is None else patient[known]
        corrections = tuple(
            recalibration.learn(
                two_sided(outputs[known, :, step]), (target.grade[known] > step).astype(int), method, whose
            )
            for step in range(outputs.shape[2])
        )
        return type(self)(self.name, self.options, self.plan.model_copy(update={"corrections": corrections}))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: GradeTarget | None) -> ClassAnswer:
        """Outputs to probabilities of the grades, corrected and averaged over members."""
        truth = np.full(len(outputs), np.nan) if target is None else np.where(target.known, target.grade, np.nan)
        return ClassAnswer(
            classes=tuple(spell(grade) for grade in self.options.grades),
            probabilities=_grades(outputs, self.plan.corrections),
            raw=_grades(outputs, (Recalibration(),) * outputs.shape[2]),
            truth=truth,
        )

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Three grades that rise with the signal."""
        grades = ["mild", "moderate", "severe"]
        place = np.digitize(signal + 0.5 * rng.standard_normal(len(signal)), [-0.5, 0.7])
        return pl.DataFrame({name: [grades[one] for one in place]}), {"column": name, "grades": grades}


def _grades(
    outputs: Float[np.ndarray, "sample member out"], corrections: tuple[Recalibration, ...]
) -> Float[np.ndarray, "sample grade"]:
    """Chances to lie above each step, made to fall from step to step, as chances of the grades between them."""
    above = [recalibration.apply(one, two_sided(outputs[:, :, step]))[:, 1] for step, one in enumerate(corrections)]
    falling = np.minimum.accumulate(np.stack(above, axis=1), axis=1)
    edges = np.ones((len(outputs), 1))
    return -np.diff(np.concatenate([edges, falling, 0 * edges], axis=1), axis=1)
