"""JPEG, by Pillow. No torch."""

from pathlib import Path
from typing import final

from polyclinic.formats.images.base import ImageFormat, Window
from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import Frame


@final
class Jpeg(ImageFormat):
    """A JPEG file."""

    name = "JPEG"
    suffixes = (".jpg", ".jpeg")

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return start.startswith(b"\xff\xd8\xff")

    def read(self, content: bytes, window: Window = "file") -> Frame:
        """The image."""
        return raster.read(content)
