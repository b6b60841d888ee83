"""Figures of answers that are chances, each with its title and a sentence on how to read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from polyclinic.delivery.blocks import figure
from polyclinic.delivery.figures.calibrated import PredictedShares, axis_of, calibration
from polyclinic.delivery.figures.calibration_words import in_words, recalibrated, slope_and_intercept
from polyclinic.delivery.figures.curves import COLOURS, curves_by_class, plain_curve, precision_recall, roc
from polyclinic.delivery.figures.models import MOST, plain_models
from polyclinic.delivery.markup import Element
from polyclinic.evidence.records import TargetEvidence
from polyclinic.translations.phrase import Phrase, sentences

MEAN = Phrase("The mean over all classes, with its band.")
_NAMED = ("roc", "precision_recall", "froc", "roc_per_class", "precision_recall_per_class")
"""Curves that have a figure of their own."""


@dataclass(frozen=True)
class ClassWords:
    """How the classes of a form (or its labels, or regions) are spoken of.

    Attributes:
        heading: Of the part that goes class by class.
        name: What one of them is called.
        counted: What is counted of each.
        roc: Title of their ROC curves.
        precision_recall: Title of their precision-recall curves.
        reading: How to read such a figure.
    """

    heading: Phrase = Phrase("By class")
    name: Phrase = Phrase("Class")
    counted: Phrase = Phrase("Rows")
    roc: Phrase = Phrase("ROC curve by class")
    precision_recall: Phrase = Phrase("Precision-recall curve by class")
    reading: Phrase = Phrase("One line per class: that class against all others.")


def separation(target: TargetEvidence) -> Iterator[Element]:
    """ROC and precision-recall curve over all classes."""
    if target.curve("roc") is not None:
        words = Phrase("The further the curve bows to the top left, the better; the dashed line is a coin.")
        mean = "" if len(target.classes) == 2 else MEAN
        yield figure(Phrase("ROC curve"), roc(target), sentences(words, mean))
    if target.curve("precision_recall") is not None:
        words = Phrase("How many of the flagged really have the outcome, the more of them one wants to find.")
        yield figure(Phrase("Precision-recall curve"), precision_recall(target), words)


def roc_by_class(target: TargetEvidence, words: ClassWords) -> Iterator[Element]:
    """One ROC curve for each class, where they can be told apart."""
    curves = target.curves_of("roc_per_class")
    if 0 < len(curves) <= COLOURS:
        axes = (Phrase("1 \N{MINUS SIGN} specificity"), Phrase("Sensitivity"))
        drawing = curves_by_class(curves, Phrase("ROC curve by class"), axes, diagonal=True)
        yield figure(words.roc, drawing, words.reading)


def precision_recall_by_class(target: TargetEvidence, words: ClassWords) -> Iterator[Element]:
    """One precision-recall curve for each class, where they can be told apart."""
    curves = target.curves_of("precision_recall_per_class")
    if 0 < len(curves) <= COLOURS:
        axes = (Phrase("Sensitivity (recall)"), Phrase("Positive predictive value (precision)"))
        drawing = curves_by_class(curves, Phrase("Precision-recall curve by class"), axes)
        yield figure(words.precision_recall, drawing, words.reading)


def further_curves(target: TargetEvidence) -> Iterator[Element]:
    """Curves that only the form itself knows, by their own names."""
    for name in dict(target.curves):
        curve = None if name in _NAMED else target.curve(name)
        if curve is not None:
            title = name.replace("_", " ").capitalize()
            yield figure(title, plain_curve(curve, title))


def calibration_figure(target: TargetEvidence, predicted: PredictedShares | None = None) -> Iterator[Element]:
    """Whether 30% means 30%, with all predictions below where they are given."""
    found, plain = target.calibration, plain_models(target)
    if found.curve:
        words = Phrase("On the dashed line, 30% means 30%. Dots: groups of similar predictions, with intervals.")
        odds = Phrase("Both scales are stretched at their ends (log-odds), because most chances are near 0% or 100%.")
        below = sentences(words, odds if axis_of(found, plain[:MOST]).by_odds else "", _below(predicted))
        yield figure(Phrase("Calibration"), calibration(found, predicted, plain), below)
        told = in_words(slope_and_intercept(target), recalibrated(found))
        if told:
            yield told


def _below(predicted: PredictedShares | None) -> str:
    if predicted is None:
        return ""
    cut = Phrase("The upright line is the threshold.") if predicted.threshold is not None else ""
    return sentences(Phrase("Below: all predictions."), cut)
