"""The figures of one target: curves, calibration, survival, agreement, and the operating point as counts."""

import numpy as np

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.delivery.documents import Estimate, TargetEvidence
from polyclinic.delivery.figures.calibrated import PredictedShares, calibration
from polyclinic.delivery.figures.curves import (
    COLOURS,
    precision_recall,
    precision_recall_by_class,
    prevalence,
    roc,
    roc_by_class,
)
from polyclinic.delivery.figures.froc import froc
from polyclinic.delivery.figures.survival import auc_over_time, brier_over_time, kaplan_meier
from polyclinic.delivery.figures.values import bland_altman, predicted_against_measured
from polyclinic.delivery.markup import Html, element
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import NOTHING, count, significant
from polyclinic.delivery.sections.headline import best_plain
from polyclinic.delivery.sections.parts import figure, grid, note
from polyclinic.delivery.words import Words


def tested_once(material: Material, name: str) -> Answer | None:
    """Answers to the test rows of the first repetition: each row once."""
    test = material.test
    if test is None or name not in test.answers:
        return None
    return test.take(np.flatnonzero(test.samples.repeat == 0)).answers[name]


def pictures(material: Material, target: TargetEvidence, answer: Answer | None) -> Html:
    """The figures that suit the form of the answer."""
    say = material.say
    if target.form == "survival":
        return _survival_figures(target, say)
    if target.form == "value":
        return _value_figures(target, answer, say)
    calibrated = target.calibration is not None and bool(target.calibration.curve)
    shown = [*_separation(target, say), _calibration_figure(material, target, answer) if calibrated else Html()]
    return grid(*shown, _in_a_thousand(target, say))


def _separation(target: TargetEvidence, say: Words) -> list[Html]:
    """ROC and precision-recall curves, for all and by class."""
    curves, shown = target.curves, list[Html]()
    if curves.roc is not None:
        words = say("The further the curve bows to the top left, the better; the dashed line is a coin.")
        mean = "" if target.form == "binary" else say("The mean over all classes, with its band.")
        shown.append(figure(say("ROC curve"), roc(target, say), say.sentences(words, mean)))
    if curves.precision_recall is not None:
        words = say("How many of the flagged really have the outcome, the more of them one wants to find.")
        shown.append(figure(say("Precision-recall curve"), precision_recall(target, say), words))
    shown.append(_froc_figure(target, say))
    by_class = say(_LINES.get(target.form, "One line per class: that class against all others."))
    if 0 < len(curves.roc_per_class) <= COLOURS:
        shown.append(
            figure(say(_titled("ROC curve by class", target)), roc_by_class(curves.roc_per_class, say), by_class)
        )
    if 0 < len(curves.precision_recall_per_class) <= COLOURS and target.form in _EACH_BY_ITSELF:
        drawing = precision_recall_by_class(curves.precision_recall_per_class, say)
        shown.append(figure(say(_titled("Precision-recall curve by class", target)), drawing, by_class))
    return shown


def _froc_figure(target: TargetEvidence, say: Words) -> Html:
    """What finding objects costs in false boxes, ours and the plain model's."""
    if target.curves.froc is None:
        return Html()
    plain = best_plain(target)
    words = [say("The further up, the more is found at the same price in false boxes. Rings: the rates of CPM.")]
    if len(target.classes) > 1:
        words.append(say("The mean over all classes, with its band."))
    return figure(say("FROC curve"), froc(target, plain, say), say.sentences(*words))


def _titled(title: str, target: TargetEvidence) -> str:
    """The title of curves by class, in the word of the form."""
    return title.replace("by class", "by region") if target.form == "mask" else title


_EACH_BY_ITSELF = ("multilabel", "mask", "boxes")
"""Forms of which a precision-recall curve by class says more than that of the mean."""
_LINES = {
    "mask": "One line per region: the points of all records together.",
    "boxes": "One line per class: the more of its objects are found, the fewer of the boxes are right.",
}


def _calibration_figure(material: Material, target: TargetEvidence, answer: Answer | None) -> Html:
    say = material.say
    predicted = None
    if isinstance(answer, ClassAnswer) and len(answer.classes) == 2:
        predicted = _predicted(target, answer)
    words = say("On the dashed line, 30% means 30%. Dots: groups of similar predictions, with intervals.")
    if predicted is not None:
        words = say.sentences(words, say("Below: all predictions; upright lines are the thresholds."))
    return figure(say("Calibration"), calibration(target, predicted, say), words)


def _predicted(target: TargetEvidence, answer: ClassAnswer) -> PredictedShares:
    known = ~np.isnan(answer.truth)
    thresholds = target.operating_point.thresholds if target.operating_point else ()
    cuts = tuple(threshold for threshold in thresholds if threshold is not None)
    return PredictedShares(answer.probabilities[known, 1], answer.truth[known] == 1, cuts)


def _survival_figures(target: TargetEvidence, say: Words) -> Html:
    curves, shown = target.curves, list[Html]()
    if curves.kaplan_meier:
        words = say("Tested patients in three equal groups by predicted risk: what really happened to them.")
        drawing = kaplan_meier(curves.kaplan_meier, target.unit, say)
        shown.append(figure(say("Survival by predicted risk"), drawing, say.sentences(words, _log_rank(target, say))))
    if target.calibration is not None and target.calibration.curve:
        horizon = with_unit_after(target.calibration.horizon, target.unit)
        words = say(
            "Predicted and observed share with an event by {horizon}, in groups of similar predictions.",
            horizon=horizon,
        )
        shown.append(figure(say("Calibration"), calibration(target, None, say), words))
    if curves.auc_over_time is not None:
        words = say("How well the risk separates those with an event by then from those still without.")
        shown.append(figure(say("AUC over time"), auc_over_time(curves.auc_over_time, target.unit, say), words))
    if curves.brier_over_time is not None:
        words = say("How far the predicted chance was from what happened; the dashed line is a coin.")
        shown.append(figure(say("Error over time"), brier_over_time(curves.brier_over_time, target.unit, say), words))
    return grid(*shown)


def _log_rank(target: TargetEvidence, say: Words) -> str:
    test = target.curves.log_rank
    if test is None or test.p_value is None:
        return ""
    shown = "<\N{NO-BREAK SPACE}0.001" if test.p_value < 0.001 else f"=\N{NO-BREAK SPACE}{test.p_value:.3f}"
    return say("Log-rank test between the groups: p\N{NO-BREAK SPACE}{p}.", p=shown)


def with_unit_after(value: float | None, unit: str) -> str:
    """A quantity with its unit."""
    return NOTHING if value is None else f"{significant(value)} {unit}".strip()


def _value_figures(target: TargetEvidence, answer: Answer | None, say: Words) -> Html:
    if not isinstance(answer, ValueAnswer):
        return Html()
    known = ~np.isnan(answer.truth) & ~np.isnan(answer.value)
    if not known.any():
        return Html()
    predicted, measured = answer.value[known], answer.truth[known]
    points = target.calibration.curve if target.calibration is not None else ()
    scatter = predicted_against_measured(predicted, measured, points, answer.unit, say)
    agreement = bland_altman(predicted, measured, answer.unit, say)
    words = say("On the dashed line the prediction is right.")
    if points:
        words = say.sentences(words, say("Rings: means of similar predictions."))
    expected = say("95 of 100 differences are expected between the dashed lines.")
    return grid(
        figure(say("Predicted against measured"), scatter, words),
        figure(say("Bland-Altman plot"), agreement, expected),
    )


def _in_a_thousand(target: TargetEvidence, say: Words) -> Html:
    """The operating point as counts that can be pictured."""
    share = prevalence(target)
    sensitivity = target.metrics.get("sensitivity", Estimate()).value
    specificity = target.metrics.get("specificity", Estimate()).value
    if share is None or sensitivity is None or specificity is None or target.operating_point is None:
        return Html()
    ill = round(1000 * share)
    found, cleared = round(ill * sensitivity), round((1000 - ill) * specificity)
    cells = (
        _cell(found, say("found"), say("have the outcome and are flagged"), "good"),
        _cell(ill - found, say("missed"), say("have the outcome and are not flagged"), "bad"),
        _cell(1000 - ill - cleared, say("false alarms"), say("do not have it, yet are flagged"), "bad"),
        _cell(cleared, say("cleared"), say("do not have it and are not flagged"), "good"),
    )
    words = say(
        "Point estimates, at the operating point chosen on tune rows and the prevalence of the tested patients."
    )
    heading = element("p", element("strong", say("In 1,000 patients like those tested")), class_="caption")
    return element("div", heading, element("div", *cells, class_="thousand"), note(words), class_="card")


def _cell(n: int, name: str, words: str, css: str) -> Html:
    return element("div", element("b", count(n)), element("strong", name), element("span", words), class_=css)
