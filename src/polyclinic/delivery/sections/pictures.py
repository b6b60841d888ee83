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
from polyclinic.delivery.markup import EMPTY, Element, element
from polyclinic.delivery.numbers import NOTHING, count, significant
from polyclinic.delivery.sections.headline import best_plain
from polyclinic.delivery.sections.parts import figure, grid, note
from polyclinic.translations.phrase import Phrase, sentences


def pictures(target: TargetEvidence, answer: Answer | None) -> Element:
    """The figures that suit the form of the answer."""
    if target.form == "survival":
        return _survival_figures(target)
    if target.form == "value":
        return _value_figures(target, answer)
    calibrated = target.calibration is not None and bool(target.calibration.curve)
    shown = [*_separation(target), _calibration_figure(target, answer) if calibrated else EMPTY]
    return grid(*shown, _in_a_thousand(target))


def _separation(target: TargetEvidence) -> list[Element]:
    """ROC and precision-recall curves, for all and by class."""
    curves, shown = target.curves, list[Element]()
    if curves.roc is not None:
        words = Phrase("The further the curve bows to the top left, the better; the dashed line is a coin.")
        mean = "" if target.form == "binary" else Phrase("The mean over all classes, with its band.")
        shown.append(figure(Phrase("ROC curve"), roc(target), sentences(words, mean)))
    if curves.precision_recall is not None:
        words = Phrase("How many of the flagged really have the outcome, the more of them one wants to find.")
        shown.append(figure(Phrase("Precision-recall curve"), precision_recall(target), words))
    shown.append(_froc_figure(target))
    by_class = Phrase(_LINES.get(target.form, "One line per class: that class against all others."))
    roc_title, recall_title = _BY_REGION if target.form == "mask" else _BY_CLASS
    if 0 < len(curves.roc_per_class) <= COLOURS:
        shown.append(figure(roc_title, roc_by_class(curves.roc_per_class), by_class))
    if 0 < len(curves.precision_recall_per_class) <= COLOURS and target.form in _EACH_BY_ITSELF:
        shown.append(figure(recall_title, precision_recall_by_class(curves.precision_recall_per_class), by_class))
    return shown


def _froc_figure(target: TargetEvidence) -> Element:
    """What finding objects costs in false boxes, ours and the plain model's."""
    if target.curves.froc is None:
        return EMPTY
    plain = best_plain(target)
    words = [Phrase("The further up, the more is found at the same price in false boxes. Rings: the rates of CPM.")]
    if len(target.classes) > 1:
        words.append(Phrase("The mean over all classes, with its band."))
    return figure(Phrase("FROC curve"), froc(target, plain), sentences(*words))


_BY_CLASS = (Phrase("ROC curve by class"), Phrase("Precision-recall curve by class"))
_BY_REGION = (Phrase("ROC curve by region"), Phrase("Precision-recall curve by region"))
_EACH_BY_ITSELF = ("multilabel", "mask", "boxes")
"""Forms of which a precision-recall curve by class says more than that of the mean."""
_LINES = {
    "mask": "One line per region: the points of all records together.",
    "boxes": "One line per class: the more of its objects are found, the fewer of the boxes are right.",
}


def _calibration_figure(target: TargetEvidence, answer: Answer | None) -> Element:
    predicted = None
    if isinstance(answer, ClassAnswer) and len(answer.classes) == 2:
        predicted = _predicted(target, answer)
    words = Phrase("On the dashed line, 30% means 30%. Dots: groups of similar predictions, with intervals.")
    below = "" if predicted is None else Phrase("Below: all predictions; upright lines are the thresholds.")
    return figure(Phrase("Calibration"), calibration(target, predicted), sentences(words, below))


def _predicted(target: TargetEvidence, answer: ClassAnswer) -> PredictedShares:
    known = ~np.isnan(answer.truth)
    thresholds = target.operating_point.thresholds if target.operating_point else ()
    cuts = tuple(threshold for threshold in thresholds if threshold is not None)
    return PredictedShares(answer.probabilities[known, 1], answer.truth[known] == 1, cuts)


def _survival_figures(target: TargetEvidence) -> Element:
    curves, shown = target.curves, list[Element]()
    if curves.kaplan_meier:
        words = Phrase("Tested patients in three equal groups by predicted risk: what really happened to them.")
        drawing = kaplan_meier(curves.kaplan_meier, target.unit)
        shown.append(figure(Phrase("Survival by predicted risk"), drawing, sentences(words, _log_rank(target))))
    if target.calibration is not None and target.calibration.curve:
        horizon = with_unit_after(target.calibration.horizon, target.unit)
        words = Phrase(
            "Predicted and observed share with an event by {horizon}, in groups of similar predictions.",
            horizon=horizon,
        )
        shown.append(figure(Phrase("Calibration"), calibration(target, None), words))
    if curves.auc_over_time is not None:
        words = Phrase("How well the risk separates those with an event by then from those still without.")
        shown.append(figure(Phrase("AUC over time"), auc_over_time(curves.auc_over_time, target.unit), words))
    if curves.brier_over_time is not None:
        words = Phrase("How far the predicted chance was from what happened; the dashed line is a coin.")
        shown.append(figure(Phrase("Error over time"), brier_over_time(curves.brier_over_time, target.unit), words))
    return grid(*shown)


def _log_rank(target: TargetEvidence) -> str:
    test = target.curves.log_rank
    if test is None or test.p_value is None:
        return ""
    shown = "<\N{NO-BREAK SPACE}0.001" if test.p_value < 0.001 else f"=\N{NO-BREAK SPACE}{test.p_value:.3f}"
    return Phrase("Log-rank test between the groups: p\N{NO-BREAK SPACE}{p}.", p=shown)


def with_unit_after(value: float | None, unit: str) -> str:
    """A quantity with its unit."""
    return NOTHING if value is None else f"{significant(value)} {unit}".strip()


def _value_figures(target: TargetEvidence, answer: Answer | None) -> Element:
    if not isinstance(answer, ValueAnswer):
        return EMPTY
    known = ~np.isnan(answer.truth) & ~np.isnan(answer.value)
    if not known.any():
        return EMPTY
    predicted, measured = answer.value[known], answer.truth[known]
    points = target.calibration.curve if target.calibration is not None else ()
    scatter = predicted_against_measured(predicted, measured, points, answer.unit)
    agreement = bland_altman(predicted, measured, answer.unit)
    diagonal = Phrase("On the dashed line the prediction is right.")
    rings = Phrase("Rings: means of similar predictions.") if points else ""
    expected = Phrase("95 of 100 differences are expected between the dashed lines.")
    return grid(
        figure(Phrase("Predicted against measured"), scatter, sentences(diagonal, rings)),
        figure(Phrase("Bland-Altman plot"), agreement, expected),
    )


def _in_a_thousand(target: TargetEvidence) -> Element:
    """The operating point as counts that can be pictured."""
    share = prevalence(target)
    sensitivity = target.metrics.get("sensitivity", Estimate()).value
    specificity = target.metrics.get("specificity", Estimate()).value
    if share is None or sensitivity is None or specificity is None or target.operating_point is None:
        return EMPTY
    ill = round(1000 * share)
    found, cleared = round(ill * sensitivity), round((1000 - ill) * specificity)
    cells = (
        _cell(found, Phrase("found"), Phrase("have the outcome and are flagged"), "good"),
        _cell(ill - found, Phrase("missed"), Phrase("have the outcome and are not flagged"), "bad"),
        _cell(1000 - ill - cleared, Phrase("false alarms"), Phrase("do not have it, yet are flagged"), "bad"),
        _cell(cleared, Phrase("cleared"), Phrase("do not have it and are not flagged"), "good"),
    )
    words = Phrase(
        "Point estimates, at the operating point chosen on tune rows and the prevalence of the tested patients."
    )
    heading = element("p", element("strong", Phrase("In 1,000 patients like those tested")), class_="caption")
    return element("div", heading, element("div", *cells, class_="thousand"), note(words), class_="card")


def _cell(n: int, name: str, words: str, css: str) -> Element:
    return element("div", element("b", count(n)), element("strong", name), element("span", words), class_=css)
