"""Where the model is most wrong: the rows to look up, with pictures where the input can be shown."""

from polyclinic.delivery.documents import Mistake, TargetEvidence
from polyclinic.delivery.figures.survival import with_unit
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import NOTHING, significant
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.delivery.sections.parts import note, table
from polyclinic.delivery.words import Words
from polyclinic.records.base import Picture

PRIVATE = "These pictures come from patients' records: pass this page on accordingly."
_WITH_UNIT = ("value", "survival")
"""Forms whose truth and answer are in the unit of the target."""
_LISTED = ("boxes", "cells", "spans", "relations", "multilabel")
"""Forms whose truth and answer say what is there."""


def mistakes(material: Material, name: str, target: TargetEvidence) -> Html:
    """A table of the worst test mistakes, and a gallery of those that can be shown."""
    if not target.worst:
        return Html()
    say = material.say
    rows = [[str(mistake.row), *_columns(mistake, target, say)] for mistake in target.worst]
    words = note(say("Test rows of the user's table, counted from 1 without the header, the worst first."))
    whole = table([say("Row"), *_head(target, say)], rows, "mistakes", numeric_from=9)
    return join(whole, words, _gallery(material, name, target, say))


def _head(target: TargetEvidence, say: Words) -> list[str]:
    if target.form == "survival":
        return [
            with_unit(say("Time"), target.unit),
            say("What happened then"),
            say("Predicted chance to be event-free"),
        ]
    unit = target.unit if target.form in _WITH_UNIT else ""
    return [with_unit(say(name), unit) for name in ("Truth", "Answer")] + [say("Loss")]


def _columns(mistake: Mistake, target: TargetEvidence, say: Words) -> list[str]:
    truth, answer = (_nothing(_shown(one), target, say) for one in (mistake.truth, mistake.answer))
    if target.form == "survival":
        happened = NOTHING if mistake.event is None else say("event") if mistake.event else say("no event until then")
        return [truth, happened, answer]
    return [truth, answer, _shown(mistake.loss)]


def _shown(value: str | float | None) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else significant(value).replace("-", "\N{MINUS SIGN}")


def _nothing(shown: str, target: TargetEvidence, say: Words) -> str:
    """Where things are counted or listed, "none" is our word; where a class is answered, it may be the user's."""
    return say("none") if shown == "none" and target.form in _LISTED else shown


def _gallery(material: Material, name: str, target: TargetEvidence, say: Words) -> Html:
    """Pictures only: a patient's table of values tells a reader little here and an outsider too much."""
    shown = [
        _frame(mistake, target, picture, say)
        for mistake in target.worst
        for picture in _pictures(material, name, mistake.row)
        if picture.media_type in IMAGES
    ]
    if not shown:
        return Html()
    return join(element("div", *shown, class_="gallery"), note(say(PRIVATE)))


def _pictures(material: Material, name: str, row: int) -> tuple[Picture, ...]:
    """The record with the answer drawn on it where there is such a picture, else as it is."""
    marked = material.marked.get(name)
    if marked is None:
        return material.pictures.get(row, ())
    return (marked[row],) if row in marked else ()


def _frame(mistake: Mistake, target: TargetEvidence, picture: Picture, say: Words) -> Html:
    pairs = [f"{name}: {value}" for name, value in zip(_head(target, say), _columns(mistake, target, say), strict=True)]
    caption = element("figcaption", f"{say('Row')} {mistake.row}. ", "; ".join(pairs[:2]))
    return element("figure", embedded(picture, say), caption)
