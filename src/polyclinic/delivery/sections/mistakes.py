"""Where the model is most wrong: the rows to look up, with pictures where the input can be shown."""

from polyclinic.delivery.documents import Mistake, TargetEvidence
from polyclinic.delivery.figures.survival import with_unit
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.delivery.material import TargetMaterial
from polyclinic.delivery.numbers import NOTHING, significant
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.delivery.sections.parts import note, table
from polyclinic.records.base import Picture
from polyclinic.translations.phrase import Phrase

PRIVATE = Phrase("These pictures come from patients' records: pass this page on accordingly.")
_WITH_UNIT = ("value", "survival")
"""Forms whose truth and answer are in the unit of the target."""
_LISTED = ("boxes", "cells", "spans", "relations", "multilabel")
"""Forms whose truth and answer say what is there."""


def mistakes(material: TargetMaterial) -> Element:
    """A table of the worst test mistakes, and a gallery of those that can be shown."""
    target = material.evidence
    if not target.worst:
        return EMPTY
    rows = [[str(mistake.row), *_columns(mistake, target)] for mistake in target.worst]
    words = note(Phrase("Test rows of the user's table, counted from 1 without the header, the worst first."))
    whole = table([Phrase("Row"), *_head(target)], rows, "mistakes", numeric_from=9)
    return join(whole, words, _gallery(material))


def _head(target: TargetEvidence) -> list[str]:
    if target.form == "survival":
        return [
            with_unit(Phrase("Time"), target.unit),
            Phrase("What happened then"),
            Phrase("Predicted chance to be event-free"),
        ]
    unit = target.unit if target.form in _WITH_UNIT else ""
    return [with_unit(Phrase(name), unit) for name in ("Truth", "Answer")] + [Phrase("Loss")]


def _columns(mistake: Mistake, target: TargetEvidence) -> list[str]:
    truth, answer = (_nothing(_written(one), target) for one in (mistake.truth, mistake.answer))
    if target.form == "survival":
        happened = (
            NOTHING if mistake.event is None else Phrase("event") if mistake.event else Phrase("no event until then")
        )
        return [truth, happened, answer]
    return [truth, answer, _written(mistake.loss)]


def _written(value: str | float | None) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else significant(value).replace("-", "\N{MINUS SIGN}")


def _nothing(written: str, target: TargetEvidence) -> str:
    """Where things are counted or listed, "none" is our word; where a class is answered, it may be the user's."""
    return Phrase("none") if written == "none" and target.form in _LISTED else written


def _gallery(material: TargetMaterial) -> Element:
    """Pictures only: a patient's table of values tells a reader little here and an outsider too much."""
    frames = [
        _frame(mistake, material.evidence, picture)
        for mistake in material.evidence.worst
        for picture in material.pictures.get(mistake.row, ())
        if picture.media_type in IMAGES
    ]
    if not frames:
        return EMPTY
    return join(element("div", *frames, class_="gallery"), note(PRIVATE))


def _frame(mistake: Mistake, target: TargetEvidence, picture: Picture) -> Element:
    (truth, answer), (was, said) = _head(target)[:2], _columns(mistake, target)[:2]
    words = Phrase(
        "{row} {n}. {truth}: {was}; {answer}: {said}",
        row=Phrase("Row"),
        n=mistake.row,
        truth=truth,
        was=was,
        answer=answer,
        said=said,
    )
    return element("figure", embedded(picture), element("figcaption", words))
