"""One decoded image and the properties of its file: what every image reader gives. No torch."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import Finding, ReadError
from polyclinic.formats.base import formats_of
from polyclinic.study.catalogue import broken

MOST_PIXELS = 64 * 1024 * 1024
"""Largest image that is decoded (8192 x 8192): above any radiograph, below what a hostile file could ask for."""

MOST_BYTES = 1024 * 1024 * 1024
"""Largest file of one image that is opened."""


@dataclass(frozen=True)
class FileProperties:
    """Properties of a file, not of the patient: such a property can give a label away.

    Attributes:
        format: File format, such as "PNG" or "DICOM".
        mode: How pixels are stored, such as "L", "RGB" or "MONOCHROME1".
        bits: Bits per channel.
        bytes: Size of the file.
        width: Columns as stored.
        height: Rows as stored.
        origin: What made the file, as far as it says: compression, scanner maker.
        spacing: Length of a step down and across in the patient, None where the file does not say.
        unit: Of the spacing: "mm", "um", or "px" where it is not known.
    """

    format: str
    mode: str
    bits: int
    bytes: int
    width: int
    height: int
    origin: str = ""
    spacing: tuple[float, float] | None = None
    unit: str = "px"


@dataclass(frozen=True)
class Frame:
    """A decoded image.

    Attributes:
        pixels: Grey (1 channel) or red, green, blue (3), in the number type of the file.
        low: Pixel value that is shown black.
        high: Pixel value that is shown white.
        facts: Properties of the file.
    """

    pixels: Shaped[np.ndarray, "height width channel"]
    low: float
    high: float
    facts: FileProperties


def refuse(name: str, rule: str, found: str, remedy: str) -> ReadError:
    """The error for one image. It names no path: a path may name a patient; the caller adds column and row."""
    return ReadError(Finding(name=name, place="image", rule=rule, found=found, remedy=remedy))


def unknown_image() -> ReadError:
    """The error for content of another format."""
    words = [known.name for known in formats_of("formats.images")]
    rule = f"an image must be {', '.join(words[:-1])} or {words[-1]}"
    error = refuse("unknown_image", rule, "the content is none of these", "Convert it, or correct the path.")
    return ReadError([*error.findings, *broken("formats.images").values()])


def check_extent(width: int, height: int) -> None:
    """Refuse an image that is empty or absurdly large, before a single pixel is decoded.

    Raises:
        ReadError: if it has no pixels or more than ``MOST_PIXELS``.
    """
    if width < 1 or height < 1:
        raise refuse("empty_image", "an image must have pixels", "it has none", "Export it again.")
    if width * height > MOST_PIXELS:
        raise refuse(
            "image_too_large",
            f"an image may have at most {MOST_PIXELS:,} pixels",
            "a file declares more",
            "Crop or shrink it; whole slides need a tile reader.",
        )


def check_finite(pixels: Shaped[np.ndarray, "..."]) -> None:
    """Refuse pixels that are not numbers.

    Raises:
        ReadError: if any pixel is NaN or infinite.
    """
    if pixels.dtype.kind == "f" and not bool(np.isfinite(pixels).all()):
        raise refuse("not_finite", "every pixel must be a number", "NaN or infinite pixels", "Export it again.")
