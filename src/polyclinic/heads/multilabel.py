"""Several yes-or-no labels at once, any of which may be unknown: which findings does this film show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.answers.labels import LabelsAnswer
from polyclinic.cohort.outcomes import Numbers, absent_columns, rows_where, yes_no
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration, two_sided
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.heads import base
from polyclinic.layers.readout import Readout
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import Loss, TargetTensors

_FEW = 10  # rows of either answer below which there is a warning; a round number


class MultilabelOptions(TargetOptions):
    """Keys of a target of kind "multilabel"."""

    columns: tuple[str, ...] = Field(min_length=1)
    """Columns of the labels, each 0 or 1, or true or false. An empty cell means: not known."""


class MultilabelPlan(Plan):
    """What a multilabel head learned."""

    prior: tuple[float, ...]
    """Share of yes among training rows, by label."""
    known_per_row: float
    """How many labels a training row has on average, so that the loss is of the same size however many are known."""
    corrections: tuple[Recalibration, ...]

    @model_validator(mode="after")
    def _of_yes_and_no(self) -> Self:
        if not all(one.fits(2) for one in self.corrections):
            raise ValueError("the correction of a label is of two classes")
        return self


@dataclass(frozen=True)
class LabelsTarget(base.Target):
    """The labels of each row: 0, 1 or NaN. ``known`` where at least one is; ``names`` are their columns."""

    truth: Float[np.ndarray, "sample label"]
    names: tuple[str, ...]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The rarest label that the row has, so that rare labels reach every part; the last group has none."""
        yes = self.truth == 1
        by_rarity = np.argsort(yes.sum(axis=0), kind="stable")
        first = np.argmax(yes[:, by_rarity], axis=1)
        group = np.where(yes.any(axis=1), by_rarity[first], yes.shape[1])
        return np.where(self.known, group, -1)

    def rarest(self, index: Int[np.ndarray, " row"]) -> Mapping[str, int]:
        """Rows with each label or, where they are fewer, without it."""
        found = zip(self.names, self.truth[index].T, strict=True)
        return {f'of "{name}"': int(min(np.sum(truth == 1), np.sum(truth == 0))) for name, truth in found}

    def balance(self, rows: TrainRows) -> Float[np.ndarray, " row"]:
        """Weights that favour rows with rare answers: the mean over a row's known labels of the answer's rarity."""
        truth = self.truth[rows.index]
        known = ~np.isnan(truth)
        yes, count = np.sum(truth == 1, axis=0), known.sum(axis=0)
        rarity = np.where(truth == 1, count / (2 * np.maximum(yes, 1)), count / (2 * np.maximum(count - yes, 1)))
        weight = np.sum(np.where(known, rarity, 0.0), axis=1) / np.maximum(known.sum(axis=1), 1)
        some = known.any(axis=1)
        return np.where(some, weight / (weight[some].mean() if some.any() else 1.0), 1.0)

    def check(self, place: str) -> list[Finding]:
        """Rows without any label, and rare labels."""
        findings = super().check(place)
        yes, known = np.sum(self.truth == 1, axis=0), np.sum(~np.isnan(self.truth), axis=0)
        rare = [name for name, n in zip(self.names, np.minimum(yes, known - yes), strict=True) if n < _FEW]
        if rare:
            rule = f"every label should be 0 and 1 in {_FEW} rows each"
            found = f"fewer for {', '.join(rare[:5])}" + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
            remedy = "Expect wide intervals, or leave the label out."
            findings.append(Finding("rare_label", place, rule, found, remedy, Severity.WARNING))
        return findings


@dataclass(frozen=True)
class LabelsTensors(TargetTensors):
    """The labels of each row of a batch, 0 where not known; ``mask`` says where."""

    truth: Float[Tensor, "batch label"]
    mask: Bool[Tensor, "batch label"]


class Multilabel(base.Global):
    """Which of several findings a patient has, as a probability for each; findings may go together.

    One output per label, its log odds. Each label's probability is corrected by itself on tune rows.
    """

    Options = MultilabelOptions
    Plan = MultilabelPlan
    form = "labels"
    mixup_safe = True

    def columns(self) -> tuple[str, ...]:
        """The columns of the labels."""
        return tuple(self.options.columns)

    def read_target(self, frame: pl.DataFrame, table: str) -> LabelsTarget:
        """The labels of each row.

        Raises:
            CohortError: absent columns, cells that are not 0 or 1, a label without known rows or with one value only.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] columns", table), CohortError)
        read = {column: yes_no(frame[column]) for column in self.columns()}
        new = self.plan is not None
        places = {f'{table} column "{column}"': label for column, label in read.items()}
        stop_on([f for place, label in places.items() for f in _findings(label, place, new=new)], CohortError)
        truth = np.stack([label.value for label in read.values()], axis=1)
        return LabelsTarget(~np.isnan(truth).all(axis=1), truth, self.columns())

    def fit(self, target: LabelsTarget, rows: TrainRows) -> Self:
        """Learn how common each label is among training rows."""
        truth = target.truth[rows.index]
        prior = (np.sum(truth == 1, axis=0) + 0.5) / (np.sum(~np.isnan(truth), axis=0) + 1)
        known = np.sum(~np.isnan(truth)) / max(1, int(target.known[rows.index].sum()))
        plan = MultilabelPlan(
            prior=tuple(float(share) for share in prior),
            known_per_row=max(1.0, float(known)),
            corrections=(Recalibration(),) * truth.shape[1],
        )
        return type(self)(self.name, self.options, plan)

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A linear readout that starts at how common each label is."""
        prior = np.asarray(self.plan.prior)
        return Readout(width, np.log(prior) - np.log1p(-prior), members)

    def collate(self, target: LabelsTarget, index: Int[np.ndarray, " batch"]) -> LabelsTensors:
        """The labels of some rows."""
        truth = torch.from_numpy(target.truth[index].astype(np.float32))
        mask = ~truth.isnan()
        return LabelsTensors(mask.any(dim=1), truth.nan_to_num(0.0), mask)

    def loss(self, output: Float[Tensor, "batch member out"], target: LabelsTensors, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of the known labels of each row, averaged over members, in nats per label.

        Every known label counts alike, so a row with few known labels counts for less than one with many.
        """
        wide = output.float() if output.dtype in (torch.bfloat16, torch.float16) else output
        goal = (target.truth.to(wide.dtype) * (1 - smoothing) + smoothing / 2)[:, None].expand(wide.shape)
        each = F.binary_cross_entropy_with_logits(wide, goal, reduction="none").mean(dim=1)
        known_per_row: float = self.plan.known_per_row
        return torch.where(target.mask, each, 0.0).sum(dim=1) / known_per_row

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: LabelsTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn scale and offset, or an isotonic curve, for each label from tune rows where it is known."""
        corrections = []
        for output, truth in zip(np.moveaxis(outputs, 2, 0), target.truth.T, strict=True):
            known = ~np.isnan(truth)
            whose = None if patient is None else patient[known]
            corrections.append(
                recalibration.learn(two_sided(output[known]), truth[known].astype(np.int64), method, whose)
            )
        return type(self)(self.name, self.options, self.plan.model_copy(update={"corrections": tuple(corrections)}))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: LabelsTarget | None) -> LabelsAnswer:
        """Outputs to probabilities, corrected and averaged over members."""
        corrected = _probabilities(outputs, self.plan.corrections)
        raw = _probabilities(outputs, (Recalibration(),) * outputs.shape[2])
        truth = np.full(corrected.shape, np.nan) if target is None else target.truth
        return LabelsAnswer(self.columns(), corrected, raw, truth)

    @classmethod
    def example(cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str) -> base.Outcomes:
        """Three labels with log odds of 3 times the signal minus 0, 1 and 2; one cell in ten is empty."""
        frame = {}
        for rank, letter in enumerate("abc"):
            yes = (rng.random(len(signal)) < 1 / (1 + np.exp(rank - 3 * signal))).astype(int)
            empty = rng.random(len(signal)) < 0.1
            frame[f"{name}_{letter}"] = [None if gone else int(cell) for cell, gone in zip(yes, empty, strict=True)]
        return pl.DataFrame(frame), {"columns": list(frame)}


def _findings(label: Numbers, place: str, *, new: bool) -> list[Finding]:
    """What stops the study in one column; with ``new`` patients of a model that exists, only cells that are wrong."""
    if label.wrong.any():
        rule, remedy = "a label must be 0 or 1, or true or false", "Correct the cells, or leave them empty."
        rows = rows_where(label.wrong)
        return [Finding("label_not_binary", place, rule, f"{len(rows)} cells are not", remedy, rows=rows)]
    known = label.value[label.known]
    if new:
        return []
    if not len(known):
        return [Finding("no_outcome", place, "must hold a label", "all cells are empty", "Leave the column out.")]
    rarer = min(known.sum(), len(known) - known.sum())
    if rarer == 0:
        found = "every known cell is the same"
        return [Finding("one_class", place, "needs both 0 and 1", found, "Leave the column out.")]
    if rarer == 1:
        rows = rows_where(label.known & (label.value == (known.mean() < 0.5)))
        rule, found = "both 0 and 1 need several patients", "one of them stands in one row only"
        return [Finding("class_of_one", place, rule, found, "Leave the column out, or correct the cell.", rows=rows)]
    return []


def _probabilities(
    outputs: Float[np.ndarray, "sample member out"], corrections: tuple[Recalibration, ...]
) -> Float[np.ndarray, "sample label"]:
    columns = [recalibration.apply(c, two_sided(outputs[:, :, k]))[:, 1] for k, c in enumerate(corrections)]
    return np.stack(columns, axis=1)
