"""Where the model is most wrong: the rows to look up, with pictures where the input can be shown."""

import base64
import io

from PIL import Image

from polyclinic.delivery.documents import Mistake, TargetEvidence
from polyclinic.delivery.figures.survival import with_unit
from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.numbers import NOTHING, significant
from polyclinic.delivery.sections.parts import note, table
from polyclinic.delivery.words import Words
from polyclinic.inputs.base import Picture

SIDE = 320  # pixels: large enough to recognise, small enough to send by mail
LIGHT = 60_000  # bytes: smaller pictures are kept as they are


SHOWN = ("image/png", "image/jpeg", "image/svg+xml")
"""Pictures only: a patient's table of values tells a reader little here and an outsider too much."""


def mistakes(material: Material, target: TargetEvidence) -> Html:
    """A table of the worst test mistakes, and a gallery of those that can be shown."""
    if not target.worst:
        return Html()
    say = material.say
    rows = [[str(mistake.row), *_columns(mistake, target, say)] for mistake in target.worst]
    words = note(say("Test rows of the user's table, counted from 1 without the header, the worst first."))
    whole = table([say("Row"), *_head(target, say)], rows, "mistakes", numeric_from=9)
    return join(whole, words, _gallery(material, target, say))


def _head(target: TargetEvidence, say: Words) -> list[str]:
    if target.form == "survival":
        return [
            with_unit(say("Time"), target.unit),
            say("What happened then"),
            say("Predicted chance to be event-free"),
        ]
    return [with_unit(say(name), target.unit) for name in ("Truth", "Answer")] + [say("Loss")]


def _columns(mistake: Mistake, target: TargetEvidence, say: Words) -> list[str]:
    truth, answer = _shown(mistake.truth), _shown(mistake.answer)
    if target.form == "survival":
        happened = NOTHING if mistake.event is None else say("event") if mistake.event else say("no event until then")
        return [truth, happened, answer]
    return [truth, answer, _shown(mistake.loss)]


def _shown(value: str | float | None) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else significant(value).replace("-", "\N{MINUS SIGN}")


def _gallery(material: Material, target: TargetEvidence, say: Words) -> Html:
    shown = [
        _frame(mistake, target, picture, say)
        for mistake in target.worst
        for picture in material.pictures.get(mistake.row, ())
        if picture.media_type in SHOWN
    ]
    if not shown:
        return Html()
    words = note(say("These pictures come from patients' records: pass this page on accordingly."))
    return join(element("div", *shown, class_="gallery"), words)


def _frame(mistake: Mistake, target: TargetEvidence, picture: Picture, say: Words) -> Html:
    pairs = [f"{name}: {value}" for name, value in zip(_head(target, say), _columns(mistake, target, say), strict=True)]
    caption = element("figcaption", f"{say('Row')} {mistake.row}. ", "; ".join(pairs[:2]))
    return element("figure", _embedded(picture), caption)


def _embedded(picture: Picture) -> Html:
    """The picture inside the page. As an image nothing in it can run."""
    light = _lighter(picture)
    data = base64.b64encode(light.content).decode("ascii")
    return Html(
        element("img", src=f"data:{light.media_type};base64,{data}", alt=picture.caption).removesuffix("</img>")
    )


def _lighter(picture: Picture) -> Picture:
    """The same picture, made smaller where it is heavy."""
    if len(picture.content) <= LIGHT or picture.media_type == "image/svg+xml":
        return picture
    with Image.open(io.BytesIO(picture.content)) as opened:
        small = opened.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=85)
    return Picture("image/jpeg", written.getvalue(), picture.caption)
