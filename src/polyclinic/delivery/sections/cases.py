"""The best, the middle and the worst answer to a dense question, drawn on the records."""

from polyclinic.delivery.documents import Mistake, TargetEvidence
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.delivery.material import TargetMaterial
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import number, significant
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.delivery.sections.mistakes import PRIVATE
from polyclinic.delivery.sections.parts import note
from polyclinic.records.base import Picture
from polyclinic.translations.phrase import Phrase

_SHARES = {"mask": "dice", "boxes": "object_f1", "cells": "aji"}
"""Forms whose loss is one minus a metric of the record."""


def cases(material: TargetMaterial) -> Element:
    """Three pictures side by side, one above the other on a narrow screen; nothing where none was drawn."""
    target, marked = material.evidence, material.marked
    if target.cases is None:
        return EMPTY
    three = (("Best", target.cases.best), ("Median", target.cases.median), ("Worst", target.cases.worst))
    frames = [_frame(Phrase(name), one, marked[one.row], target) for name, one in three if one.row in marked]
    if not frames:
        return EMPTY
    words = Phrase(
        "Test rows, by {figure}. Rows in which there is nothing to see are left out.", figure=_figure(target)
    )
    written = any(marked[one.row].media_type not in IMAGES for _, one in three if one.row in marked)
    grid = element("div", *frames, class_="cases written" if written else "cases")
    return join(note(words), grid, note(PRIVATE))


def _figure(target: TargetEvidence) -> str:
    """What the three were chosen by."""
    if target.form in _SHARES:
        return Phrase("{metric} of the record", metric=metric_name(_SHARES[target.form]))
    if target.form == "spans":
        return Phrase("spans missed or wrong")
    return Phrase("loss of the record")


def _frame(name: str, one: Mistake, picture: Picture, target: TargetEvidence) -> Element:
    loss = "" if one.loss is None else _loss(one.loss, target)
    words = Phrase("{row} {n} \N{MIDDLE DOT} {loss}", row=Phrase("Row"), n=one.row, loss=loss)
    about = element("small", picture.caption) if picture.media_type in IMAGES and picture.caption else None
    caption = element("figcaption", element("strong", name), element("span", words), about)
    return element("figure", element("div", embedded(picture), class_="record"), caption)


def _loss(loss: float, target: TargetEvidence) -> str:
    """How far the answer is from the truth, in the figure of the form."""
    if target.form in _SHARES:
        metric = _SHARES[target.form]
        return Phrase("{name} {value}", name=metric_name(metric), value=number(1 - loss, metric))
    if target.form == "spans":
        return Phrase("{n} missed or wrong", n=significant(loss))
    return Phrase("{name} {value}", name=Phrase("Loss"), value=significant(loss))
