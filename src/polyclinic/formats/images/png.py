"""PNG, by Pillow. No torch."""

from typing import final

from polyclinic.formats.images.base import RasterFormat


@final
class Png(RasterFormat):
    """A PNG file."""

    name = "PNG"
    suffixes = (".png",)
    marks = (b"\x89PNG\r\n\x1a\n",)
