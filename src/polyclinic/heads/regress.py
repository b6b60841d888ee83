"""A number: which haemoglobin, how many days in hospital."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from scipy.stats import skew
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.answers.value import ValueAnswer
from polyclinic.cohort.outcomes import Numbers, absent_columns, numbers, rows_where
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.recalibration import (
    FEWEST_PATIENTS,
    LEFT_ALONE,
    each_alone,
    earns_its_place,
    share_of_patient,
)
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.heads import base
from polyclinic.layers.readout import Readout
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import Loss, TargetTensors

_SKEWED = 1.0  # skewness above which logarithms are tried; that of an exponential is 2, of a normal 0
_ROUNDING = 1e-12  # of the mean: a spread below it is what arithmetic leaves of equal numbers
_FAR = 10.0  # quartile ranges from the median; a slip of the decimal point lies so far; a round number
# How far a slope and an offset (in standard deviations of the outcome) may stray from 1 and 0 without evidence.
_SD_SLOPE = 0.25
_SD_OFFSET = 0.25
_FEWEST_FOR_SHAPE = 20  # with fewer numbers nobody can say whether they are skewed; a round number
# Outputs beyond this many standard deviations of the training rows are a fault of the model, not a forecast.
_WIDEST = 30.0


class RegressOptions(TargetOptions):
    """Keys of a target of kind "regress"."""

    column: str
    """Column that holds the number. An empty cell means: not known."""
    unit: str = ""
    """Unit of the number, such as "g/L", for axes and tables."""
    transform: Literal["none", "log", "auto"] = "none"
    """Learn the number itself, its logarithm (all must be above 0), or whichever is less skewed ("auto")."""
    loss: Literal["mse", "huber"] = "mse"
    """Squared error, which aims at the mean; or Huber's, which a few wrong values do not upset."""


class RegressPlan(Plan):
    """What a regress head learned."""

    log: bool
    centre: float
    spread: float
    slope: float = 1.0
    offset: float = 0.0
    smear: float = 1.0
    """After a logarithm: mean over median of what is left unexplained, so that the answer is a mean again."""
    note: str = "not calibrated"


@dataclass(frozen=True)
class ValueTarget(base.Target):
    """The measured number of each row, NaN where not known."""

    truth: Float[np.ndarray, " sample"]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The quarter of the known numbers that the row's number lies in."""
        edges = np.quantile(self.truth[self.known], [0.25, 0.5, 0.75])
        return np.where(self.known, np.searchsorted(edges, self.truth, side="left"), -1)

    def check(self, place: str) -> list[Finding]:
        """Unknown outcomes; values far from all others, as a slip of the unit makes them; codes instead of numbers."""
        findings = super().check(place)
        known = self.truth[self.known]
        low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
        far = np.abs(np.nan_to_num(self.truth, nan=middle) - middle) > _FAR * (high - low)
        if high > low and far.any():
            rule, found = "numbers should be of one size", f"{far.sum()} lie {_FAR:g} quartile ranges from the median"
            remedy = "Check their unit and digits."
            rows = rows_where(far)
            findings.append(Finding("far_values", place, rule, found, remedy, Severity.WARNING, rows))
        if len(np.unique(known)) == 2:
            rule, found, remedy = "should hold a measured number", "two values only", 'Consider kind = "classify".'
            findings.append(Finding("two_values", place, rule, found, remedy, Severity.WARNING))
        return findings


@dataclass(frozen=True)
class ValueTensors(TargetTensors):
    """The number of each row of a batch, in standard deviations from the mean of the training rows."""

    truth: Float[Tensor, " batch"]


class Regress(base.Global):
    """How large a number will be; the answer is the mean to expect, in the user's unit.

    One output: the number in standard deviations from the mean of the training rows, after the logarithm if asked.
    """

    Options = RegressOptions
    Plan = RegressPlan
    form = "value"

    def columns(self) -> tuple[str, ...]:
        """The column of the number."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> ValueTarget:
        """The number of each row.

        Raises:
            CohortError: no such column, cells that are no number, no known number, all the same, a logarithm of 0.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        read = numbers(frame[self.options.column])
        place, log = f'{table} column "{self.options.column}"', self.options.transform == "log"
        stop_on(_findings(read, place, log=log, new=self.plan is not None), CohortError)
        return ValueTarget(read.known, read.value)

    def fit(self, target: ValueTarget, rows: TrainRows) -> Self:
        """Learn centre and spread from training rows, and with "auto" whether to take the logarithm."""
        value = target.truth[rows.index]
        value = value[~np.isnan(value)]
        log = self.options.transform == "log" or (self.options.transform == "auto" and _log_helps(value))
        scaled = np.log(value) if log else value
        spread = float(scaled.std()) if len(scaled) > 1 else 1.0
        centre = float(scaled.mean()) if len(scaled) else 0.0
        varies = spread > _ROUNDING * abs(centre)
        return type(self)(
            self.name, self.options, RegressPlan(log=log, centre=centre, spread=spread if varies else 1.0)
        )

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A linear readout that starts at the mean."""
        return Readout(width, np.zeros(1), members)

    def collate(self, target: ValueTarget, index: Int[np.ndarray, " batch"]) -> ValueTensors:
        """The numbers of some rows, standardised."""
        truth = torch.from_numpy(self._standardise(target.truth[index]).astype(np.float32))
        return ValueTensors(~truth.isnan(), truth.nan_to_num(0.0))

    def _standardise(self, value: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
        if self.plan.log:
            value = np.log(np.where(value > 0, value, np.nan))
        standard: Float[np.ndarray, " sample"] = (value - self.plan.centre) / self.plan.spread
        return standard

    def loss(self, output: Float[Tensor, "batch member out"], target: ValueTensors, smoothing: float = 0.0) -> Loss:
        """Half the squared error of each row, or Huber's, averaged over members; ``smoothing`` has no meaning here."""
        wide = output[..., 0].float() if output.dtype in (torch.bfloat16, torch.float16) else output[..., 0]
        goal = target.truth.to(wide.dtype)[:, None].expand(wide.shape)
        if self.options.loss == "huber":
            each = F.huber_loss(wide, goal, reduction="none")
        else:
            each = 0.5 * F.mse_loss(wide, goal, reduction="none")
        return torch.where(target.known, each.mean(dim=1), 0.0)

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: ValueTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn slope and offset from tune rows (a number has no other correction, so "isotonic" gives the same)."""
        truth = self._standardise(target.truth)
        known = ~np.isnan(truth)
        mean, truth = _mean(outputs)[known], truth[known]
        share = share_of_patient(each_alone(len(truth)) if patient is None else patient[known])
        patients = round(float(share.sum()))
        few = f"{patients} patients, fewer than {FEWEST_PATIENTS}, are too few"
        if why := LEFT_ALONE.get(method, few if patients < FEWEST_PATIENTS else ""):
            return self._with(note=f"not calibrated: {why}")
        offset, slope = _straighten(mean, truth, share)
        left = np.array([share @ (truth - mean) ** 2, share @ (truth - offset - slope * mean) ** 2])
        gain = 0.5 * patients * float(np.subtract(*np.log(np.maximum(left, 1e-12))))
        if method == "auto" and not earns_its_place(gain, constants=2):
            note = f"left as it is: {patients} patients do not ask for a correction"
            offset, slope = 0.0, 1.0
        else:
            note = f"slope and offset of the answer, from {patients} patients"
        miss = (truth - offset - slope * mean) * self.plan.spread
        smear = float(np.average(np.exp(miss), weights=share)) if self.plan.log else 1.0
        return self._with(slope=slope, offset=offset, smear=smear, note=note)

    def _with(self, **changes: Any) -> Self:
        return type(self)(self.name, self.options, self.plan.model_copy(update=changes))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: ValueTarget | None) -> ValueAnswer:
        """Outputs to numbers in the user's unit, corrected and averaged over members."""
        scaled = (self.plan.offset + self.plan.slope * _mean(outputs)) * self.plan.spread + self.plan.centre
        # An exponent of 700 is the largest that stays finite.
        value = np.exp(np.minimum(scaled, 700.0)) * self.plan.smear if self.plan.log else scaled
        truth = np.full(len(outputs), np.nan) if target is None else target.truth
        return ValueAnswer(self.options.unit, value, truth)

    @classmethod
    def example(cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str) -> base.Outcomes:
        """140 plus 15 times the signal, with noise of 5: a haemoglobin in g/L."""
        value = 140 + 15 * signal + 5 * rng.standard_normal(len(signal))
        return pl.DataFrame({name: value.round(1)}), {"column": name, "unit": "g/L"}


def _findings(read: Numbers, place: str, *, log: bool, new: bool) -> list[Finding]:
    """Everything that stops the study, in one pass."""
    findings = []
    if rows := rows_where(read.wrong):
        remedy = 'Correct the cells, leave them empty, or write kind = "classify" if they are classes.'
        rule, found = "must be a number", f"{len(rows)} cells are not"
        findings.append(Finding("not_a_number", place, rule, found, remedy, rows=rows))
    known = read.value[read.known]
    if log and (rows := rows_where(read.known & ~(read.value > 0))):
        rule, found = 'must be above 0 for transform = "log"', f"{len(rows)} cells are not"
        findings.append(Finding("no_logarithm", place, rule, found, 'Write transform = "none".', rows=rows))
    if not new and not findings and not len(known):
        found, remedy = f"all {len(read.value)} cells are empty", "Name another column."
        findings.append(Finding("no_outcome", place, "must hold the outcome", found, remedy))
    if not new and len(known) and np.ptp(known) == 0:
        found, remedy = "every known cell is the same", "Name another column."
        findings.append(Finding("constant_outcome", place, "needs different numbers", found, remedy))
    return findings


def _mean(outputs: Float[np.ndarray, "sample member out"]) -> Float[np.ndarray, " sample"]:
    mean: Float[np.ndarray, " sample"] = outputs[:, :, 0].astype(np.float64).mean(axis=1)
    return mean.clip(-_WIDEST, _WIDEST)


def _log_helps(value: Float[np.ndarray, " sample"]) -> bool:
    """Whether the numbers are all above 0, clearly skewed, and less so after the logarithm."""
    if len(value) < _FEWEST_FOR_SHAPE or np.min(value) <= 0 or np.ptp(value) == 0:
        return False
    plain, logged = float(skew(value)), float(skew(np.log(value)))
    return plain > _SKEWED and abs(logged) < plain


def _straighten(
    x: Float[np.ndarray, " sample"], y: Float[np.ndarray, " sample"], share: Float[np.ndarray, " sample"]
) -> tuple[float, float]:
    """Offset and slope that best turn ``x`` into ``y``, pulled towards 0 and 1 where patients are few: a ridge."""
    noise = max(float(np.average((y - x) ** 2, weights=share)), 1e-12)
    design = np.stack([np.ones_like(x), x], axis=1)
    weighed = (design * share[:, None]).T
    pull = np.diag([noise / _SD_OFFSET**2, noise / _SD_SLOPE**2])
    change = np.linalg.solve(weighed @ design + pull, weighed @ (y - x))
    return float(change[0]), float(1 + change[1])
