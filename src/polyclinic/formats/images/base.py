"""What a format of images gives: one decoded image and the properties of its file."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

from polyclinic.formats.base import Format, formats_of
from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import Frame

Window = Literal["file", "none"] | tuple[float, float]
"""What becomes black and white where pixels are measurements, as in DICOM: what the file says, nothing (the measured
values stay), or centre and width."""


class ImageFormat(Format):
    """A format of flat images, recognised by its content, whatever its name."""

    @abstractmethod
    def read(self, content: bytes, window: Window = "file") -> Frame:
        """The one image of a file, upright as a viewer shows it.

        Args:
            content: The whole file.
            window: What becomes black and white; formats whose pixels are no measurements pass over it.

        Raises:
            ReadError: damaged, absurdly large, or several images in one file.
            MissingPackage: if a package that reads the format is not installed.
        """


class RasterFormat(ImageFormat):
    """A format that Pillow reads.

    Attributes:
        marks: What a file may begin with.
    """

    marks: ClassVar[tuple[bytes, ...]]

    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the content begins as one does."""
        return start.startswith(self.marks)

    def read(self, content: bytes, window: Window = "file") -> Frame:
        """The image; a second page is doubt, and refused."""
        return raster.read(content)


def image_formats() -> tuple[ImageFormat, ...]:
    """All formats of images, in the order of their names."""
    return tuple(known for known in formats_of("formats.images") if isinstance(known, ImageFormat))
