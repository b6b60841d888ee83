"""Pictures of records inside the page: light, and unable to run anything."""

import base64
import io

from PIL import Image

from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.sanitise import sanitise
from polyclinic.records.base import Picture
from polyclinic.records.text.markup import SIGNS
from polyclinic.translations.phrase import Phrase

SIDE = 320
"""Pixels: large enough to recognise a record, and a report of ten stays small enough to send by mail."""
LIGHT = 60_000
"""Bytes up to which a picture is kept as it is: a round number; ten of them make less than a megabyte."""

IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
_MARKUP = "text/html"
_MARKS = {"right": "found", "missed": "missed span", "wrong": "found, but not there"}
"""What each class of a marked text means."""


def embedded(picture: Picture) -> Element:
    """The picture inside the page. An image cannot run; markup is sanitised, with a legend for its marks."""
    if picture.media_type == _MARKUP and not picture.content:
        return element("p", picture.caption)
    if picture.media_type == _MARKUP:
        return join(sanitise(picture.content), _legend(picture.content))
    light = _lighter(picture)
    data = base64.b64encode(light.content).decode("ascii")
    return element("img", src=f"data:{light.media_type};base64,{data}", alt=picture.caption)


def _legend(markup: bytes) -> Element | None:
    """The marks that occur, each with its sign and its meaning."""
    used = [css for css in _MARKS if f'<mark class="{css}"'.encode() in markup]
    keys = [element("mark", f"{SIGNS[css]} ", Phrase(_MARKS[css]), class_=css) for css in used]
    return element("p", element("small", *(join(key, " ") for key in keys))) if keys else None


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
