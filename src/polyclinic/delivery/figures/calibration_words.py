"""What slope and intercept of a calibration say, and what the correction did to the chances."""

from polyclinic.delivery.blocks import note, table
from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import signed, stacked, with_interval
from polyclinic.evidence.records import Calibration, Estimate, TargetEvidence
from polyclinic.translations.phrase import Phrase

CHANCES = Phrase("the chances")
NUMBERS = Phrase("the predicted numbers")
_TOLD = ("calibration_slope", "log_loss", "expected_calibration_error", "brier_score")
"""Figures of a correction, the most telling first: two of them stand in its table."""


def in_words(*told: Element) -> Element:
    """A card for what slope, intercept and correction say; nothing where nothing is told."""
    heading = element("p", element("strong", Phrase("Calibration in words")), class_="caption")
    return element("div", heading, *told, class_="card calibration-words") if any(told) else EMPTY


def slope_and_intercept(target: TargetEvidence, what: Phrase = CHANCES) -> Element:
    """Both in words, with their intervals; ``what`` is calibrated. Nothing where they were not measured."""
    slope, intercept = (target.metrics.get(f"calibration_{name}", Estimate()) for name in ("slope", "intercept"))
    lines = []
    if slope.value is not None:
        ideal = Phrase("1 is ideal; below 1: {what} are too extreme; above 1: too timid.", what=what)
        lines.append(_told(_slope(slope, what), ideal))
    if intercept.value is not None:
        ideal = Phrase("0 is ideal; below 0: {what} are too high on the whole; above 0: too low.", what=what)
        lines.append(_told(_intercept(intercept, what), ideal))
    return join(*lines)


def _told(found: str, ideal: Phrase) -> Element:
    """What was found, before what it would ideally be."""
    return element("p", element("strong", found), " ", ideal)


def _slope(slope: Estimate, what: Phrase) -> str:
    value = with_interval(slope, "calibration_slope")
    if slope.low is None or slope.high is None:
        return Phrase("Slope {value}.", value=value)
    if slope.high < 1:
        return Phrase("Slope {value}: {what} are too extreme.", value=value, what=what)
    if slope.low > 1:
        return Phrase("Slope {value}: {what} are too timid.", value=value, what=what)
    return Phrase("Slope {value}: not clearly too extreme or too timid.", value=value)


def _intercept(intercept: Estimate, what: Phrase) -> str:
    value = with_interval(intercept, "calibration_intercept", signed)
    if intercept.low is None or intercept.high is None:
        return Phrase("Intercept {value}.", value=value)
    if intercept.high < 0:
        return Phrase("Intercept {value}: {what} are too high on the whole.", value=value, what=what)
    if intercept.low > 0:
        return Phrase("Intercept {value}: {what} are too low on the whole.", value=value, what=what)
    return Phrase("Intercept {value}: not clearly too high or too low on the whole.", value=value)


def recalibrated(found: Calibration) -> Element:
    """Before and after the correction, in two rows; nothing where raw chances are not known."""
    shown = [metric for metric in _TOLD if metric in found.before and metric in found.after][:2]
    if not shown:
        return EMPTY
    if all(found.before[metric].value == found.after[metric].value for metric in shown):
        return note(Phrase("The chances are as the model gave them: nothing was corrected."))
    rows: list[list[Child]] = [
        [element("b", name), *(stacked(side.get(metric), metric) for metric in shown)]
        for name, side in ((Phrase("Before correction"), found.before), (Phrase("After correction"), found.after))
    ]
    return table(["", *map(metric_name, shown)], rows, "narrow")
