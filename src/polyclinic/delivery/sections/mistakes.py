"""Where the model is most wrong: the rows to look up, with pictures where the input can be shown."""

import base64
import io
from collections.abc import Sequence

from PIL import Image

from polyclinic.delivery.documents import Mistake, TargetEvidence
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
    rows = [[str(m.row), _shown(m.truth, say), _shown(m.answer, say), _shown(m.loss, say)] for m in target.worst]
    head = [say("Row"), say("Truth"), say("Answer"), say("Loss")]
    words = note(say("Test rows of the user's table, counted from 1 without the header, the worst first."))
    return join(table(head, rows, "mistakes", numeric_from=9), words, _gallery(material, target.worst, say))


def _shown(value: str | float | None, say: Words) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else significant(value).replace("-", "\N{MINUS SIGN}")


def _gallery(material: Material, worst: Sequence[Mistake], say: Words) -> Html:
    shown = [
        _frame(mistake, picture, say)
        for mistake in worst
        for picture in material.pictures.get(mistake.row, ())
        if picture.media_type in SHOWN
    ]
    if not shown:
        return Html()
    words = note(say("These pictures come from patients' records: pass this page on accordingly."))
    return join(element("div", *shown, class_="gallery"), words)


def _frame(mistake: Mistake, picture: Picture, say: Words) -> Html:
    values = {"row": mistake.row, "truth": _shown(mistake.truth, say), "answer": _shown(mistake.answer, say)}
    caption = element("figcaption", say("Row {row}: {truth}, taken for {answer}", **values))
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
