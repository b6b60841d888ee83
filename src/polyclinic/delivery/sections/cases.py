"""The best, the middle and the worst answer to a dense question, drawn on the records."""

from polyclinic.delivery.documents import Mistake, TargetEvidence
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import number, significant
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.delivery.sections.mistakes import PRIVATE
from polyclinic.delivery.sections.parts import note
from polyclinic.delivery.words import Words
from polyclinic.records.base import Picture

_SHARES = {"mask": "dice", "boxes": "object_f1", "cells": "aji"}
"""Forms whose loss is one minus a metric of the record."""


def cases(material: Material, name: str, target: TargetEvidence) -> Html:
    """Three pictures side by side, one above the other on a narrow screen; nothing where none was drawn."""
    say, drawn = material.say, material.marked.get(name, {})
    if target.cases is None:
        return Html()
    three = {"Best": target.cases.best, "Median": target.cases.median, "Worst": target.cases.worst}
    shown = [_frame(say(place), one, drawn[one.row], target, say) for place, one in three.items() if one.row in drawn]
    if not shown:
        return Html()
    words = say(
        "Test rows, by {figure}. Rows in which there is nothing to see are left out.", figure=_figure(target, say)
    )
    written = any(drawn[one.row].media_type not in IMAGES for one in three.values() if one.row in drawn)
    grid = element("div", *shown, class_="cases written" if written else "cases")
    return join(note(words), grid, note(say(PRIVATE)))


def _figure(target: TargetEvidence, say: Words) -> str:
    """What the three were chosen by."""
    if target.form in _SHARES:
        return say("{metric} of the record", metric=say.metric(_SHARES[target.form]))
    if target.form == "spans":
        return say("spans missed or wrong")
    return say("loss of the record")


def _frame(place: str, one: Mistake, picture: Picture, target: TargetEvidence, say: Words) -> Html:
    heading = element("strong", place)
    words = f"{say('Row')} {one.row} \N{MIDDLE DOT} {_told(one, target, say)}"
    shown = picture.media_type in IMAGES and picture.caption
    about = element("small", say.told(picture.caption)) if shown else None
    return element("figure", element("div", embedded(picture, say), class_="record"), _caption(heading, words, about))


def _caption(heading: Html, words: str, about: Html | None) -> Html:
    return element("figcaption", heading, element("span", words), about)


def _told(one: Mistake, target: TargetEvidence, say: Words) -> str:
    if one.loss is None:
        return ""
    if target.form in _SHARES:
        metric = _SHARES[target.form]
        return f"{say.metric(metric)} {number(1 - one.loss, metric)}"
    if target.form == "spans":
        return say("{n} missed or wrong", n=significant(one.loss))
    return f"{say('Loss')} {significant(one.loss)}"
