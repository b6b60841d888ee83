"""Time to an event, for new patients: a risk, times by which the event has come, and the curve."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.delivery.blocks import figure
from polyclinic.delivery.figures.calibrated import calibration
from polyclinic.delivery.figures.counted import events_in_thirds
from polyclinic.delivery.figures.models import plain_models
from polyclinic.delivery.figures.named_times import named_times
from polyclinic.delivery.figures.survival import kaplan_meier, over_time
from polyclinic.delivery.forms.base import AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.number_columns import known
from polyclinic.delivery.numbers import NOTHING, cell, chance, significant, with_unit
from polyclinic.evidence.metrics.survival import within_follow_up
from polyclinic.evidence.records import LogRank, Mistake, OverTime, TargetEvidence
from polyclinic.translations.phrase import Phrase, sentences


class SurvivalDelivery(Delivery):
    """Delivers a ``SurvivalAnswer``."""

    in_unit = True

    def columns(self, answer: SurvivalAnswer, limits: AnswerLimits) -> Columns:
        """Risk, times by which the event comes, chances to be event-free at named times, and the whole curve.

        The event comes between ``low`` and ``high`` as often as the confidence says. A named time beyond the follow-up
        of the patients that the model learned from is not answered.
        """
        tail = (1 - limits.confidence) / 2
        columns: dict[str, Column] = {"risk": answer.risk}
        for word, level in (("low", 1 - tail), ("median", 0.5), ("high", tail)):
            columns[word] = _time_until(answer, level)
        named = answer.named_times()
        chances = _at(answer, limits, tuple(named.values()))
        columns |= {f"survival_at_{_word(name)}": known(chances[:, k]) for k, name in enumerate(named)}
        columns["survival_times"] = [list(map(float, row)) for row in answer.times]
        columns["survival"] = [list(map(float, row)) for row in answer.survival]
        return columns

    def first(self, target: TargetEvidence) -> Element:
        """How many patients have the event by a time, and how many of them the highest third by risk holds."""
        return events_in_thirds(target) or super().first(target)

    def figures(self, target: TargetEvidence, answer: SurvivalAnswer | None) -> Iterator[Element]:
        """Survival by predicted risk, calibration at one horizon, and how good the answer is as time goes by."""
        unit = target.unit or ""
        groups = target.groups_of("kaplan_meier")
        if groups:
            words = Phrase("Tested patients in three equal groups by predicted risk: what really happened to them.")
            test = target.shape_of("log_rank", LogRank)
            differ = "" if test is None else _log_rank(test)
            yield figure(Phrase("Survival by predicted risk"), kaplan_meier(groups, unit), sentences(words, differ))
        if target.calibration.curve:
            time = target.calibration.horizon
            horizon = NOTHING if time is None else f"{significant(time)} {unit}".strip()
            by = "Predicted and observed share with an event by {horizon}, in groups of similar predictions."
            words = Phrase(by, horizon=horizon)
            yield figure(Phrase("Calibration"), calibration(target.calibration, None, plain_models(target)), words)
        auc = target.shape_of("auc_over_time", OverTime)
        if auc is not None:
            words = Phrase("How well the risk separates those with an event by then from those still without.")
            drawing = over_time(auc, Phrase("AUC for an event by this time"), unit, 0.5)
            yield figure(Phrase("AUC over time"), drawing, words)
        error = target.shape_of("brier_over_time", OverTime)
        if error is not None:
            words = Phrase("How far the predicted chance was from what happened; the dashed line is a coin.")
            drawing = over_time(error, Phrase("Brier score at this time"), unit, 0.25, 0.0)
            yield figure(Phrase("Error over time"), drawing, words)
        yield named_times(target)

    def unanswered(self, answer: SurvivalAnswer, limits: AnswerLimits) -> tuple[str, ...]:
        """Columns of named times that nobody was followed to."""
        named = answer.named_times()
        beyond = np.isnan(_at(answer, limits, tuple(named.values()))).any(axis=0)
        return tuple(f"survival_at_{_word(name)}" for name, lacking in zip(named, beyond, strict=True) if lacking)

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """When it was, what happened then, and how likely that was said to be."""
        happened = Phrase("What happened then")
        return with_unit(Phrase("Time"), unit), happened, Phrase("Predicted chance to be event-free")

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The same of one mistake."""
        event = Phrase("event") if mistake.event else Phrase("no event until then")
        free = chance(mistake.answer) if isinstance(mistake.answer, float) else NOTHING
        return cell(mistake.truth), NOTHING if mistake.event is None else event, free


def _at(answer: SurvivalAnswer, limits: AnswerLimits, moments: tuple[float, ...]) -> Float[np.ndarray, "sample moment"]:
    """The chance to be event-free at each moment, NaN beyond the follow-up."""
    followed = limits.tune.time[np.isfinite(limits.tune.time)].max(initial=0.0)
    return within_follow_up(answer.times, answer.survival, np.array(moments, dtype=np.float64), float(followed))


def _word(name: str) -> str:
    return name.replace(" ", "_")


def _time_until(answer: SurvivalAnswer, level: float) -> Float[np.ndarray, " sample"]:
    """When the curve first falls to ``level``; NaN where it does not within its grid."""
    below = answer.survival <= level
    first = below.argmax(axis=1)
    return np.where(below.any(axis=1), answer.times[np.arange(len(first)), first], np.nan)


def _log_rank(test: LogRank) -> str:
    if test.p_value is None:
        return ""
    p = "<\N{NO-BREAK SPACE}0.001" if test.p_value < 0.001 else f"=\N{NO-BREAK SPACE}{test.p_value:.3f}"
    return Phrase("Log-rank test between the groups: p\N{NO-BREAK SPACE}{p}.", p=p)
