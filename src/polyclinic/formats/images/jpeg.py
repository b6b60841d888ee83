"""JPEG, by Pillow. No torch."""

from typing import final

from polyclinic.formats.images.base import RasterFormat


@final
class Jpeg(RasterFormat):
    """A JPEG file."""

    name = "JPEG"
    suffixes = (".jpg", ".jpeg")
    marks = (b"\xff\xd8\xff",)
