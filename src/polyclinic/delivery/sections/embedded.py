"""Pictures of records inside the page: light, and unable to run anything."""

import base64
import io

from PIL import Image

from polyclinic.delivery.markup import Html, element
from polyclinic.delivery.washed import wash
from polyclinic.inputs.base import Picture

SIDE = 320  # pixels: large enough to recognise, small enough to send by mail
LIGHT = 60_000  # bytes: smaller pictures are kept as they are

IMAGES = ("image/png", "image/jpeg", "image/svg+xml")
_MARKUP = "text/html"


def embedded(picture: Picture) -> Html:
    """The picture inside the page. As an image nothing in it can run; markup is washed."""
    if picture.media_type == _MARKUP:
        return wash(picture.content)
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
