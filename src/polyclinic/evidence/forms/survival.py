"""How a predicted course over time is judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judged, Part, Shown, UnitJudge, counts_of, first_of_rows
from polyclinic.evidence.intervals import estimate, limits, pick
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import concordance, survival
from polyclinic.evidence.metrics.calibration import equal_groups
from polyclinic.evidence.metrics.kaplan_meier import KaplanMeier, event_free, kaplan_meier, log_rank
from polyclinic.evidence.named_times import SurvivalAt, as_shape
from polyclinic.evidence.per_class import on
from polyclinic.evidence.records import (
    Calibration,
    CurvePoint,
    Estimate,
    EventsByTime,
    GroupSurvival,
    OverTime,
    Tested,
)
from polyclinic.evidence.soundness import check_curves, check_finite, check_follow_up
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

MOMENTS = 15
"""Moments of the time-dependent AUC: quantiles of the event times, from the 10th to the 90th of 100."""
FOLLOWED = 0.9
"""Uno's concordance looks at events before the time that 90 of 100 follow-ups do not reach: later weights are wild."""
MOST_STEPS = 200
STILL_FOLLOWED = 0.05
"""Share still followed below which a share with the event misleads, as a curve does; Pocock SJ, Clayton TC, Altman DG.
Lancet 2002;359:1686-1689."""


@dataclass(frozen=True)
class SurvivalCase(Case):
    """Risk, survival curve and follow-up.

    Attributes:
        curve: Chance to be event-free at each moment of ``grid``.
        grid: Moments of the fold's integrated Brier score; the same for all samples of a fold.
        at_time: Chance to be event-free at the sample's own time.
        at_horizon: Chance to be event-free at ``horizon``.
        moments: Moments of the time-dependent AUC, the same for all folds.
        tau: Where Uno's concordance stops.
        horizon: Time at which calibration is looked at: the median time of the events.
        named: Times that the study names, by what they are called.
        at_named: Chance to be event-free at each of them; NaN beyond the follow-up of the patients of the training.
    """

    event: Float[np.ndarray, " sample"]
    time: Float[np.ndarray, " sample"]
    risk: Float[np.ndarray, " sample"]
    curve: Float[np.ndarray, "sample moment"]
    grid: Float[np.ndarray, "sample moment"]
    at_time: Float[np.ndarray, " sample"]
    at_horizon: Float[np.ndarray, " sample"]
    moments: tuple[float, ...]
    tau: float
    horizon: float
    named: Mapping[str, float]
    at_named: Float[np.ndarray, "sample named"]


def _uno(case: SurvivalCase, weights: Weights | None) -> Figures:
    return concordance.uno_concordance(case.event, case.time, case.risk, weights, case.tau)


def _integrated_brier(case: SurvivalCase, weights: Weights | None) -> Figures:
    return survival.integrated_brier_score(case.event, case.time, case.curve, case.grid[0], weights)


def _auc_over_time(case: SurvivalCase, weights: Weights | None) -> Figures:
    return survival.auc_over_time(case.event, case.time, case.risk, np.array(case.moments), weights)


def _mean_auc(case: SurvivalCase, weights: Weights | None) -> Figures:
    return survival.mean_auc(case.event, case.time, case.risk, np.array(case.moments), weights)


METRICS = (
    Metric(
        "concordance_index",
        on("event", "time", "risk")(concordance.concordance_index),
        Better.HIGHER,
        "chance that the earlier event had the higher risk",
    ),
    Metric("uno_concordance", _uno, Better.HIGHER, "the same, made independent of who was censored when"),
    Metric("integrated_brier_score", _integrated_brier, Better.LOWER, "mean squared error of the curve over time"),
    Metric("mean_auc", _mean_auc, Better.HIGHER, "AUROC for an event by a moment, averaged over moments"),
)


class SurvivalJudge(UnitJudge):
    """Judges a ``SurvivalAnswer``."""

    word = "survival"
    headline = ("concordance_index", "uno_concordance", "integrated_brier_score", "mean_auc")
    metrics = METRICS

    def known(self, answer: SurvivalAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have a known follow-up."""
        return np.asarray(np.isfinite(answer.time) & np.isfinite(answer.event))

    def truth(self, answer: SurvivalAnswer) -> Float[np.ndarray, "sample part"]:
        """Event and time."""
        return np.stack([answer.event, answer.time], axis=1)

    def check(self, answer: SurvivalAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Risks must be finite, curves must fall from 1 to 0, follow-up must be possible."""
        return (
            check_finite(answer.risk, rows, place, "risk")
            + check_follow_up(answer.event, answer.time, rows, place)
            + check_curves(answer.survival, rows, place)
        )

    def case(self, test: Part, tune: Part | None) -> SurvivalCase:
        """Curves read at the moments that are judged; the grid of the Brier score is the fold's follow-up."""
        answer, fold = test.answer, test.layout.fold
        events = answer.time[answer.event == 1]
        events = events if len(events) else answer.time
        horizon = float(np.median(events))
        grid, curve = _on_fold_grids(answer, fold)
        named = answer.named_times()
        followed = 0.0 if tune is None else float(tune.answer.time.max())
        return SurvivalCase(
            event=answer.event.astype(np.float64),
            time=answer.time.astype(np.float64),
            risk=answer.risk.astype(np.float64),
            curve=curve,
            grid=grid,
            at_time=survival.on_own_time(answer.times, answer.survival, answer.time),
            at_horizon=survival.on_grid(answer.times, answer.survival, np.array([horizon]))[:, 0],
            moments=tuple(np.unique(np.quantile(events, np.linspace(0.1, 0.9, MOMENTS))).tolist()),
            tau=float(np.quantile(answer.time, FOLLOWED)),
            horizon=horizon,
            named=named,
            at_named=survival.within_follow_up(answer.times, answer.survival, np.array(list(named.values())), followed),
        )

    def counts(self, answer: SurvivalAnswer, layout: Layout) -> Tested:
        """Rows and events."""
        return counts_of(layout, events=int(answer.event[first_of_rows(layout)].sum()))

    def detail(self, judged: Judged) -> Detail:
        """Kaplan-Meier curves of the thirds by risk, AUC over time, calibration at the median event time."""
        once = judged.once()
        case: SurvivalCase = judged.case.take(once)
        thirds = _thirds(case.risk, judged.layout.take(once).fold)
        return Detail(
            calibration=Calibration({}, {}, _calibration_curve(case, judged.confidence), horizon=case.horizon),
            curves={
                "kaplan_meier": _curves_of_thirds(case, thirds, judged.confidence),
                "log_rank": log_rank(case.event, case.time, thirds),
                "auc_over_time": _over_time(judged),
                "events_by_time": _events_by_time(judged),
                **as_shape(_at_named_times(judged) if case.named else ()),
            },
        )

    def show(self, case: SurvivalCase) -> Shown:
        """Size of the deviance residual; the time, and the predicted chance to be event-free by then.

        Source: Therneau TM, Grambsch PM, Fleming TR. Biometrika 1990;77:147-160.
        """
        hazard = -np.log(np.clip(case.at_time, 1e-12, 1.0))
        martingale = case.event - hazard
        log_part = case.event * np.log(np.maximum(case.event - martingale, 1e-12))
        loss = np.sqrt(np.maximum(-2 * (martingale + log_part), 0.0))
        return Shown(loss, case.time, case.at_time, case.event)


def _on_fold_grids(
    answer: SurvivalAnswer, fold: np.ndarray
) -> tuple[Float[np.ndarray, "sample moment"], Float[np.ndarray, "sample moment"]]:
    """For each sample the grid of its fold, and the survival curve read on it."""
    grid = np.empty((len(fold), survival.POINTS))
    curve = np.empty_like(grid)
    for number in np.unique(fold):
        members = np.flatnonzero(fold == number)
        moments = survival.follow_up_grid(answer.time[members].astype(np.float64))
        grid[members] = moments
        curve[members] = survival.on_grid(answer.times[members], answer.survival[members], moments)
    return grid, curve


def _thirds(risk: Float[np.ndarray, " sample"], fold: np.ndarray) -> Float[np.ndarray, " sample"]:
    """0, 1 or 2 by thirds of the risk, within each fold, because risks of two folds need not share a scale."""
    third = np.zeros(len(risk))
    for number in np.unique(fold):
        members = np.flatnonzero(fold == number)
        edges = np.quantile(risk[members], [1 / 3, 2 / 3])
        third[members] = np.searchsorted(edges, risk[members], side="left")
    return third


def _curves_of_thirds(
    case: SurvivalCase, thirds: Float[np.ndarray, " sample"], confidence: float
) -> tuple[GroupSurvival, ...]:
    names = ("low risk", "middle risk", "high risk")
    groups = [(name, case.take(np.flatnonzero(thirds == k))) for k, name in enumerate(names)]
    return tuple(
        _thinned(name, kaplan_meier(part.event, part.time, confidence)) for name, part in groups if len(part.time)
    )


def _events_by_time(judged: Judged) -> EventsByTime:
    """Shares of all patients with the event by a time: all of them, then those in each third by risk.

    It is the latest time that the study names and enough patients are followed to, else the horizon of calibration.
    """
    case: SurvivalCase = judged.case
    named = [(time, name) for name, time in case.named.items() if np.mean(case.time >= time) >= STILL_FOLLOWED]
    time, name = max(named, default=(case.horizon, ""))
    metric = Metric("events_by_time", partial(_event_shares, time), Better.HIGHER, "share with the event by then")
    sampled = judged.sample([metric])["events_by_time"]
    everyone, *thirds = (estimate(pick(sampled, position), judged.confidence) for position in range(4))
    return EventsByTime(time, everyone, tuple(thirds), name)


def _event_shares(time: float, case: SurvivalCase, weights: Weights | None) -> Figures:
    """Kaplan-Meier within each third, so that the thirds add up to the whole."""
    drawn = opened(weights, len(case.time))
    third = _thirds(case.risk, np.zeros(len(case.risk)))
    shares = []
    for number in range(3):
        members = np.flatnonzero(third == number)
        mine = drawn[:, members]
        come = 1 - event_free(case.event[members], case.time[members], mine).at(np.array([time]))[:, 0]
        shares.append(ratio(mine.sum(axis=1), drawn.sum(axis=1)) * come)
    return closed(np.stack([np.sum(shares, axis=0), *shares], axis=1), weights)


def _at_named_times(judged: Judged) -> tuple[SurvivalAt, ...]:
    """Predicted and observed survival at each time that the study names, and how good the answer is there."""
    case: SurvivalCase = judged.case.take(judged.once())
    observed = kaplan_meier(case.event, case.time, judged.confidence)
    sampled = judged.sample(_AT_NAMED)
    found: list[SurvivalAt] = []
    for position, (name, time) in enumerate(case.named.items()):
        seen = len(case.time[case.time >= time]) > 0
        predicted = case.at_named[:, position]
        auc, brier = (estimate(pick(sampled[one.name], position), judged.confidence) for one in _AT_NAMED)
        found.append(
            SurvivalAt(
                name=name,
                time=time,
                predicted=float(predicted.mean()),
                observed=Estimate(*_free_at(observed, time)) if seen else Estimate(),
                at_risk=int(np.count_nonzero(case.time >= time)),
                auc=auc if seen else Estimate(),
                brier_score=brier if seen else Estimate(),
            )
        )
    return tuple(found)


def _auc_at_named(case: SurvivalCase, weights: Weights | None) -> Figures:
    return survival.auc_over_time(case.event, case.time, case.risk, np.array(list(case.named.values())), weights)


def _brier_at_named(case: SurvivalCase, weights: Weights | None) -> Figures:
    moments = np.array(list(case.named.values()))
    return survival.brier_over_time(case.event, case.time, case.at_named, moments, weights)


_AT_NAMED = (
    Metric("auc", _auc_at_named, Better.HIGHER, "AUROC for an event by a named time"),
    Metric("brier_score", _brier_at_named, Better.LOWER, "mean squared error of the chance at a named time"),
)


def _free_at(curve: KaplanMeier, time: float) -> tuple[float, float, float]:
    """The share without the event at a time, and its limits."""
    place = int(np.searchsorted(curve.times, time, side="right")) - 1
    if place < 0:
        return 1.0, 1.0, 1.0
    return float(curve.survival[place]), float(curve.low[place]), float(curve.high[place])


def _thinned(group: str, curve: KaplanMeier) -> GroupSurvival:
    """At most 200 steps; the curve starts at time 0 with everybody."""
    steps = len(curve.times)
    kept = np.unique(np.linspace(0, steps - 1, min(steps, MOST_STEPS - 1)).round().astype(int))
    return GroupSurvival(
        group=group,
        times=(0.0, *curve.times[kept].tolist()),
        survival=(1.0, *curve.survival[kept].tolist()),
        low=(1.0, *curve.low[kept].tolist()),
        high=(1.0, *curve.high[kept].tolist()),
        at_risk=(int(curve.at_risk[0]), *(int(n) for n in curve.at_risk[kept])),
    )


def _over_time(judged: Judged) -> OverTime:
    metric = Metric("auc_over_time", _auc_over_time, Better.HIGHER, "AUROC for an event by each moment")
    sampled = judged.sample([metric])["auc_over_time"]
    low, high = limits(sampled.resampled, judged.confidence)
    return OverTime(judged.case.moments, tuple(sampled.value), tuple(low), tuple(high))


def _calibration_curve(case: SurvivalCase, confidence: float) -> tuple[CurvePoint, ...]:
    """Predicted and Kaplan-Meier chance of an event by the horizon, in groups of similar prediction."""
    points: list[CurvePoint] = []
    if np.isnan(case.at_horizon).any():  # another program gave risks only
        return ()
    for members in equal_groups(1 - case.at_horizon, 10):
        part = case.take(members)
        curve = kaplan_meier(part.event, part.time, confidence)
        free, low, high = _free_at(curve, case.horizon)
        predicted = float((1 - part.at_horizon).mean())
        points.append(CurvePoint(predicted, 1 - free, 1 - high, 1 - low, len(members)))
    return tuple(points)
