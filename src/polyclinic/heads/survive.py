"""Time to an event that may be censored: how long until relapse, until death."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.cohort.event_cells import doubtful_codes, read_event, strange_codes
from polyclinic.cohort.outcome_coding import Code
from polyclinic.cohort.outcomes import Numbers, absent_columns, numbers, rows_where
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.recalibration import each_alone, share_of_patient
from polyclinic.decoding.survival_curves import LEAST_STEPS
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.heads import base
from polyclinic.layers.readout import Readout
from polyclinic.layers.survival import hazard, proportional
from polyclinic.layers.survival.hazard import Drift
from polyclinic.layers.survival.partial_likelihood import partial_likelihood_loss
from polyclinic.layers.survival.proportional import BaselineHazard
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import Fused, Loss, TargetTensors

_FEW_EVENTS = 10  # below which there is a warning; a round number
_BLOCK = 8192  # rows at a time: bounds the memory of the curves

_Grid = Float[np.ndarray, " point"]
_Risk = Float[np.ndarray, " sample"]


class SurviveOptions(TargetOptions):
    """Keys of a target of kind "survive"."""

    event: str
    """Column that says whether the event was seen (1 or true) or the patient left before it (0 or false: censored).
    Of a column that is named for censoring, such as "censorship", ``occurred`` must say it."""
    occurred: bool | int | float | str | tuple[bool | int | float | str, ...] | None = None
    """Value of the event column that means that the event was seen, or several, where it is coded in another way, such
    as 2 or "1:DECEASED"; every other known value then means censored."""
    time: str
    """Column with the follow-up time, to the event or to the last contact; above 0."""
    unit: str = ""
    """Unit of the time, such as "days", for axes and tables."""
    times: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    """Times in that unit at which the chance to be event-free is answered and judged, such as [365, 1095]; by default
    after 1, 3 and 5 years where the unit is days, weeks, months or years."""
    method: Literal["hazard", "cox"] = "hazard"
    """Hazards by interval, free to change over time ("hazard"), or Cox's proportional hazards ("cox")."""
    cuts: int = Field(default=24, ge=2, le=200)
    """Into how many intervals time is cut; each holds as many events of the training rows."""
    time_terms: int = Field(default=3, ge=1, le=200)
    """How freely a patient's hazard may change over time: 1 = in proportion to all others', as many as cuts = free."""

    @property
    def codes(self) -> tuple[Code, ...]:
        """The values that mean the event; none where the column holds 0 and 1."""
        if self.occurred is None:
            return ()
        return self.occurred if isinstance(self.occurred, tuple) else (self.occurred,)

    @model_validator(mode="after")
    def _two_columns(self) -> "SurviveOptions":
        if self.event == self.time:
            raise ValueError("event and time must be two columns")
        return self


class SurvivePlan(Plan):
    """What a survive head learned."""

    edges: tuple[float, ...]
    """Ends of the intervals, from 0 to the last event of the training rows."""
    risks: tuple[float, ...]
    """Cumulative hazard of each interval among training rows."""
    share: tuple[float, ...]
    """Share of the training rows' events in each interval."""
    drift: Drift = Drift()
    """Correction of hazards by interval, from tune rows."""
    baseline: BaselineHazard = BaselineHazard()
    """For "cox": what turns a log hazard into a curve, from tune rows."""


@dataclass(frozen=True)
class SurvivalTarget(base.Target):
    """Event (1 = seen, 0 = censored) and follow-up time of each row, NaN where not known; doubts about the codes."""

    event: Float[np.ndarray, " sample"]
    time: Float[np.ndarray, " sample"]
    doubts: tuple[Finding, ...] = ()

    def strata(self) -> Int[np.ndarray, " sample"]:
        """Event or censored, times the quarter of the follow-up times of its like."""
        group = np.full(len(self.known), -1)
        for seen in (0, 1):
            rows = np.flatnonzero(self.event == seen)
            if len(rows):
                edges = np.quantile(self.time[rows], [0.25, 0.5, 0.75])
                group[rows] = 4 * seen + np.searchsorted(edges, self.time[rows], side="left")
        return group

    def rarest(self, index: Int[np.ndarray, " row"]) -> Mapping[str, int]:
        """Events."""
        return {"events": int(np.sum(self.event[index] == 1))}

    def followed(self) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
        """Events and times of all rows."""
        return self.event, self.time

    def check(self, place: str) -> list[Finding]:
        """Unknown outcomes, few events, and nobody censored."""
        findings = [*super().check(place), *self.doubts]
        events, rows = int(np.sum(self.event == 1)), int(self.known.sum())
        if events < _FEW_EVENTS:
            rule, remedy = f"should have {_FEW_EVENTS} events", "Expect wide intervals."
            findings.append(Finding("few_events", place, rule, f"there are {events}", remedy, Severity.WARNING))
        if events == rows:
            rule, remedy = "some patients usually leave before the event", "Check that the event column is right."
            findings.append(Finding("nobody_censored", place, rule, "nobody does", remedy, Severity.WARNING))
        return findings


@dataclass(frozen=True)
class SurvivalTensors(TargetTensors):
    """Follow-up of each row of a batch.

    Attributes:
        event: True where the event was seen.
        time: Follow-up time.
        exposure: Share of each interval that passed without event.
        happened: 1 in the interval of the event.
    """

    event: Bool[Tensor, " batch"]
    time: Float[Tensor, " batch"]
    exposure: Float[Tensor, "batch interval"]
    happened: Float[Tensor, "batch interval"]


class Survive(base.Global):
    """When an event will happen, as a curve of the chance to be free of it and one number for the risk.

    Method "hazard": one output per interval, the log odds of the event in it. The risk is the logarithm of the
    cumulative hazard averaged over the times at which training rows had their events. Method "cox": one output,
    the log hazard; the baseline hazard that turns it into a curve comes from the rows of ``calibrate`` (tune rows,
    which the network has not fitted), pulled towards the shape of the training rows' where they have few events.
    """

    Options = SurviveOptions
    Plan = SurvivePlan
    form = "survival"

    def columns(self) -> tuple[str, ...]:
        """The columns of event and time."""
        return (self.options.event, self.options.time)

    def read_target(self, frame: pl.DataFrame, table: str) -> SurvivalTarget:
        """Event and time of each row; known where both are.

        Raises:
            CohortError: absent columns, an event that is not 0 or 1, a time that is no number above 0, no events.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}]", table), CohortError)
        event, time = read_event(frame[self.options.event], self.options.codes), numbers(frame[self.options.time])
        places = (f'{table} column "{self.options.event}"', f'{table} column "{self.options.time}"')
        stop_on([*_event_findings(event, places[0]), *_time_findings(time, places[1])], CohortError)
        known = event.known & time.known
        codes = (frame[self.options.event], self.options.codes)
        if self.plan is None:
            strange = strange_codes(*codes, f"[targets.{self.name}] occurred")
            stop_on([*strange, *_scarcity(event, known, places[0])], CohortError)
        event_of, time_of = np.where(known, event.value, np.nan), np.where(known, time.value, np.nan)
        return SurvivalTarget(known, event_of, time_of, tuple(doubtful_codes(*codes, places[0])))

    def fit(self, target: SurvivalTarget, rows: TrainRows) -> Self:
        """Learn the intervals and the population's hazard in each from training rows.

        Raises:
            CohortError: if no training row has an event.
        """
        here = target.take(rows.index[target.known[rows.index]])
        if not np.any(here.event == 1):
            rule, remedy = "training rows need events", "Ask for fewer folds or a smaller test part."
            place = f"[targets.{self.name}]"
            raise CohortError(Finding("no_events", place, rule, "a fold has none among them", remedy))
        edges = hazard.quantile_edges(here.time[here.event == 1], self.options.cuts)
        events, exposure = hazard.tally(here.time, here.event, edges)
        plan = SurvivePlan(
            edges=tuple(edges.tolist()),
            risks=tuple((events / np.maximum(exposure, 1e-9)).tolist()),
            share=tuple((events / events.sum()).tolist()),
        )
        return type(self)(self.name, self.options, plan)

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A readout that starts at the population's hazards; for "cox" a linear one."""
        if self.options.method == "cox":
            return Readout(width, np.zeros(1), members)
        return HazardReadout(width, hazard.log_odds(np.asarray(self.plan.risks)), self.options.time_terms, members)

    def collate(self, target: SurvivalTarget, index: Int[np.ndarray, " batch"]) -> SurvivalTensors:
        """The follow-up of some rows."""
        known = target.known[index]
        time, event = np.where(known, target.time[index], 0.0), np.where(known, target.event[index], 0.0)
        exposure, happened = hazard.follow(time, event, np.asarray(self.plan.edges))
        return SurvivalTensors(
            known=torch.from_numpy(known),
            event=torch.from_numpy(event == 1),
            time=torch.from_numpy(time.astype(np.float32)),
            exposure=torch.from_numpy(exposure.astype(np.float32)),
            happened=torch.from_numpy(happened.astype(np.float32)),
        )

    def loss(self, output: Float[Tensor, "batch member out"], target: SurvivalTensors, smoothing: float = 0.0) -> Loss:
        """Minus the log likelihood of each row, averaged over members; ``smoothing`` has no meaning here.

        With "cox" rows are compared with each other (Efron's partial likelihood): those at risk are those of the batch,
        so a batch is best large, and one row's share of the loss means little by itself.
        """
        wide = output.float() if output.dtype in (torch.bfloat16, torch.float16) else output
        if self.options.method == "cox":
            log_hazard, known = wide[..., 0], target.known
            each = partial_likelihood_loss(log_hazard[known], target.event[known], target.time[known]).mean(dim=1)
            return torch.zeros_like(log_hazard[:, 0]).masked_scatter(known, each)
        each = hazard.hazard_loss(wide, target.exposure.to(wide.dtype), target.happened.to(wide.dtype)).mean(dim=1)
        return torch.where(target.known, each, 0.0)

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: SurvivalTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn how spread and level of the hazards should change from tune rows ("isotonic" gives the same).

        With "cox" also the baseline hazard, even if ``method`` is "none": without one there is no curve.
        """
        known = target.known
        outputs, time, event = outputs[known].astype(np.float64), target.time[known], target.event[known]
        share = share_of_patient(each_alone(len(time)) if patient is None else patient[known])
        edges = np.asarray(self.plan.edges)
        change: dict[str, Any]
        if self.options.method == "cox":
            log_hazard = outputs[:, :, 0].mean(axis=1)
            change = {
                "baseline": proportional.learn(
                    log_hazard, time, event, edges, np.asarray(self.plan.risks), method, share
                )
            }
        else:
            change = {"drift": hazard.learn(outputs, *hazard.follow(time, event, edges), method, share)}
        return type(self)(self.name, self.options, self.plan.model_copy(update=change))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: SurvivalTarget | None) -> SurvivalAnswer:
        """Outputs to curves and risks, corrected and averaged over members."""
        times = hazard.refine(np.asarray(self.plan.edges), LEAST_STEPS)
        # In blocks of rows: members times intervals times rows would be gigabytes for a large table.
        blocks = [slice(start, start + _BLOCK) for start in range(0, max(len(outputs), 1), _BLOCK)]
        read = _by_cox if self.options.method == "cox" else _by_interval
        parts = [read(self.plan, outputs[block].astype(np.float64), times) for block in blocks]
        risk, survival = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        event, time = (np.full(len(outputs), np.nan),) * 2 if target is None else (target.event, target.time)
        curves, asked = np.tile(times, (len(outputs), 1)), tuple(sorted(set(self.options.times)))
        return SurvivalAnswer(self.options.unit, risk, curves, survival, event, time, horizons=asked)

    @classmethod
    def example(cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str) -> base.Outcomes:
        """Exponential times whose log hazard is 1.5 times the signal, 400 days at signal 0; about a third censored."""
        until = 400 * np.exp(-1.5 * signal) * rng.exponential(size=len(signal))
        left = 1500 * rng.uniform(size=len(signal))
        columns = {f"{name}_seen": (until <= left).astype(int), f"{name}_days": np.minimum(until, left).round(1) + 0.1}
        return pl.DataFrame(columns), {"event": f"{name}_seen", "time": f"{name}_days", "unit": "days"}


class HazardReadout(nn.Module):
    """From the summary of each member to the log odds of the event in each interval.

    The population's log odds, plus for each patient ``terms`` cosines over the intervals: the first shifts all
    intervals alike, the second sets early against late risk, and so on. Few terms keep neighbouring intervals
    together; with two dozen intervals that is worth more than freedom (see docs/decisions.md).

    Args:
        population: Log odds of the event in each interval among training rows.
        terms: From 1 (hazards in proportion) to the number of intervals (free).
        members: Sets of weights; 1 = one set for whichever members come.
    """

    shape: Tensor
    population: Tensor

    def __init__(self, width: int, population: Float[np.ndarray, " interval"], terms: int, members: int = 1) -> None:
        super().__init__()
        shape = hazard.cosines(len(population), terms)
        self.coefficients = Readout(width, np.zeros(len(shape)), members)
        self.register_buffer("shape", torch.as_tensor(shape, dtype=torch.float32))
        self.register_buffer("population", torch.as_tensor(population, dtype=torch.float32))

    def forward(self, fused: Fused) -> Float[Tensor, "batch member interval"]:
        """What every encoder together knows, to log odds by interval."""
        coefficients: Tensor = self.coefficients(fused)
        return coefficients @ self.shape.to(coefficients.dtype) + self.population


def _by_interval(plan: SurvivePlan, outputs: hazard.Outputs, times: _Grid) -> tuple[_Risk, hazard.Curves]:
    """Risk and curve of each row by hazards of intervals."""
    edges, risks = np.asarray(plan.edges), hazard.risks(plan.drift, outputs)
    return hazard.mortality(risks, np.asarray(plan.share), edges), np.exp(hazard.log_survival(risks, times, edges))


def _by_cox(plan: SurvivePlan, outputs: hazard.Outputs, times: _Grid) -> tuple[_Risk, hazard.Curves]:
    """Risk and curve of each row by proportional hazards; members are averaged as log hazards."""
    risk = proportional.relative(plan.baseline, outputs[:, :, 0].mean(axis=1))
    risks = proportional.risks(plan.baseline, risk, np.asarray(plan.risks))
    return risk, np.exp(hazard.log_survival(risks, times, np.asarray(plan.edges)))


def _event_findings(event: Numbers, place: str) -> list[Finding]:
    rows = rows_where(event.wrong)
    if not rows:
        return []
    rule, found = "an event must be 0 or 1, or true or false", f"{len(rows)} cells are not"
    remedy = (
        "Write occurred = the value that means the event (of 1 and 2 often 2), or 1 where the event was seen "
        "and 0 where the patient was censored."
    )
    return [Finding("event_not_binary", place, rule, found, remedy, rows=rows)]


def _time_findings(time: Numbers, place: str) -> list[Finding]:
    findings = []
    if rows := rows_where(time.wrong):
        rule, found, remedy = "a time must be a number", f"{len(rows)} cells are not", "Give the follow-up as a number."
        findings.append(Finding("not_a_number", place, rule, found, remedy, rows=rows))
    if rows := rows_where(time.known & ~(time.value > 0)):
        found = f"{len(rows)} are 0 or negative"
        remedy = "Correct them, exclude the rows, or give half a unit to events on the first day."
        findings.append(Finding("time_not_positive", place, "a time must be above 0", found, remedy, rows=rows))
    return findings


def _scarcity(event: Numbers, known: Bool[np.ndarray, " sample"], place: str) -> list[Finding]:
    """No outcome, no event, one event."""
    if not known.any():
        found, remedy = "no row has both event and time", "Name other columns."
        return [Finding("no_outcome", place, "must hold the outcome", found, remedy)]
    seen = known & (event.value == 1)
    if seen.sum() > 1:
        return []
    found = "one row has the event" if seen.any() else "no row has the event"
    remedy = "Check the coding of the event, or choose one that is more common."
    return [Finding("no_events", place, "several patients must have the event", found, remedy, rows=rows_where(seen))]
