"""What a format of images gives: one decoded image and the properties of its file."""

from abc import abstractmethod
from typing import Literal

from polyclinic.formats.base import Format, formats_of
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


def image_formats() -> tuple[ImageFormat, ...]:
    """All formats of images, in the order of their names."""
    return tuple(known for known in formats_of("formats.images") if isinstance(known, ImageFormat))
