"""Predicted and observed survival at the times that a clinic asks for, as a small table."""

from collections.abc import Mapping

from polyclinic.delivery.blocks import note, table
from polyclinic.delivery.markup import EMPTY, Child, Element, element
from polyclinic.delivery.numbers import count, number, stacked
from polyclinic.evidence.named_times import SurvivalAt, read_named_times
from polyclinic.evidence.records import TargetEvidence
from polyclinic.translations.phrase import Phrase, sentences

YEARS: Mapping[str, Phrase] = {
    "1 year": Phrase("1 year"),
    "3 years": Phrase("3 years"),
    "5 years": Phrase("5 years"),
}
"""What the times are called where the study names none."""


def named_times(target: TargetEvidence) -> Element:
    """A row for each named time; nothing where there is none."""
    found = read_named_times(target)
    if not found:
        return EMPTY
    shares = (Phrase("Predicted"), Phrase("Observed"), Phrase("At risk"))
    head = [Phrase("Time"), *shares, Phrase("AUC by then"), Phrase("Brier score")]
    words = sentences(
        Phrase("Share without the event: mean of the predictions, and Kaplan-Meier of the tested patients."),
        Phrase("A time that nobody was followed to is left open.") if any(_open(one) for one in found) else "",
    )
    heading = element("p", element("strong", Phrase("Predicted and observed survival")), class_="caption")
    return element("div", heading, table(head, map(_row, found), "narrow"), note(words), class_="card")


def _row(one: SurvivalAt) -> list[Child]:
    name = element("b", YEARS.get(one.name, one.name))
    figures = (stacked(one.observed), count(one.at_risk), stacked(one.auc), stacked(one.brier_score))
    return [name, number(one.predicted), *figures]


def _open(one: SurvivalAt) -> bool:
    return one.predicted is None or one.observed.value is None
