"""Where the model is most wrong: the rows to look up, with pictures where the input can be shown."""

from polyclinic.delivery.blocks import note, table
from polyclinic.delivery.markup import EMPTY, Element, element, join
from polyclinic.delivery.material import TargetMaterial
from polyclinic.delivery.sections.embedded import IMAGES, embedded
from polyclinic.evidence.records import Mistake
from polyclinic.records.base import Picture
from polyclinic.translations.phrase import Phrase

PRIVATE = Phrase("These pictures come from patients' records: pass this page on accordingly.")


def mistakes(material: TargetMaterial) -> Element:
    """A table of the worst test mistakes, and a gallery of those that can be shown."""
    target = material.evidence
    form = material.form
    if not target.worst:
        return EMPTY
    rows = [[str(mistake.row), *form.mistake_cells(mistake)] for mistake in target.worst]
    words = note(Phrase("Test rows of the user's table, counted from 1 without the header, the worst first."))
    whole = table([Phrase("Row"), *form.mistake_head(target.unit or "")], rows, "mistakes", numeric_from=9)
    return join(whole, words, _gallery(material))


def _gallery(material: TargetMaterial) -> Element:
    """Pictures only: a patient's table of values tells a reader little here and an outsider too much."""
    frames = [
        _frame(mistake, material, picture)
        for mistake in material.evidence.worst
        for picture in material.pictures.get(mistake.row, ())
        if picture.media_type in IMAGES
    ]
    if not frames:
        return EMPTY
    return join(element("div", *frames, class_="gallery"), note(PRIVATE))


def _frame(mistake: Mistake, material: TargetMaterial, picture: Picture) -> Element:
    truth, answer, *_ = material.form.mistake_head(material.evidence.unit or "")
    first, second, *_ = material.form.mistake_cells(mistake)
    words = Phrase(
        "{row} {n}. {truth}: {first}; {answer}: {second}",
        row=Phrase("Row"),
        n=mistake.row,
        truth=truth,
        first=first,
        answer=answer,
        second=second,
    )
    return element("figure", embedded(picture), element("figcaption", words))
