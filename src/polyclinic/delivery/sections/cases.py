"""The best, the middle and the worst answer to a dense question, drawn on the records."""

from polyclinic.delivery.blocks import note
from polyclinic.delivery.forms.base import Delivery
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.delivery.material import TargetMaterial
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.delivery.sections.mistakes import PRIVATE
from polyclinic.evidence.records import Mistake
from polyclinic.records.base import Picture
from polyclinic.translations.phrase import Phrase, joined


def cases(material: TargetMaterial) -> Element:
    """Three pictures side by side, one above the other on a narrow screen; nothing where none was drawn."""
    target, marked = material.evidence, material.marked
    if target.cases is None:
        return EMPTY
    three = (("Best", target.cases.best), ("Median", target.cases.median), ("Worst", target.cases.worst))
    frames = [_frame(Phrase(name), one, marked[one.row], material.form) for name, one in three if one.row in marked]
    if not frames:
        return EMPTY
    words = Phrase(
        "Test rows, by {figure}. Rows in which there is nothing to see are left out.", figure=material.form.case_order()
    )
    written = any(marked[one.row].media_type not in IMAGES for _, one in three if one.row in marked)
    grid = element("div", *frames, class_="cases written" if written else "cases")
    return join(note(words), grid, note(PRIVATE))


def _judged(one: Mistake, form: Delivery) -> tuple[str, ...]:
    words = form.case_words(one)
    return (words,) if words else ()


def _frame(name: str, one: Mistake, picture: Picture, form: Delivery) -> Element:
    words = joined(Phrase("{row} {n}", row=Phrase("Row"), n=one.row), *_judged(one, form), by=" \N{MIDDLE DOT} ")
    about = element("small", picture.caption) if picture.media_type in IMAGES and picture.caption else None
    caption = element("figcaption", element("strong", name), element("span", words), about)
    return element("figure", element("div", embedded(picture), class_="record"), caption)
