"""Figures of answers that are chances, each with its title and a sentence on how to read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from polyclinic.delivery.blocks import figure, note
from polyclinic.delivery.figures.calibrated import PredictedShares, calibration
from polyclinic.delivery.figures.curves import COLOURS, curves_by_class, plain_curve, precision_recall, prevalence, roc
from polyclinic.delivery.markup import Element, element
from polyclinic.delivery.numbers import count
from polyclinic.evidence.records import Estimate, TargetEvidence
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
    if target.calibration.curve:
        words = Phrase("On the dashed line, 30% means 30%. Dots: groups of similar predictions, with intervals.")
        below = "" if predicted is None else Phrase("Below: all predictions; the upright line is the threshold.")
        yield figure(Phrase("Calibration"), calibration(target.calibration, predicted), sentences(words, below))


def in_a_thousand(target: TargetEvidence) -> Iterator[Element]:
    """The operating point as counts that can be pictured."""
    share = prevalence(target)
    sensitivity = target.metrics.get("sensitivity", Estimate()).value
    specificity = target.metrics.get("specificity", Estimate()).value
    if share is None or sensitivity is None or specificity is None or target.operating_point is None:
        return
    ill = round(1000 * share)
    found = round(ill * sensitivity)
    cleared = round((1000 - ill) * specificity)
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
    yield element("div", heading, element("div", *cells, class_="thousand"), note(words), class_="card")


def _cell(n: int, name: Phrase, words: Phrase, css: str) -> Element:
    return element("div", element("b", count(n)), element("strong", name), element("span", words), class_=css)
