"""PNG, JPEG and TIFF, 8 and 16 bits, grey, colour, palette and alpha, by Pillow. A doubtful file is refused."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from PIL import Image, UnidentifiedImageError

from polyclinic.errors import ReadError
from polyclinic.formats.pictures.frame import FileProperties, Frame, check_extent, check_finite, refuse, unknown_image

_FORMATS = ("PNG", "JPEG", "TIFF")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")
"""Plain and big TIFF; the last two are written by programs that mix up the order of bytes, and Pillow reads them."""
_UNITS = {"micron": "um", "microns": "um", "um": "um", "\\u00b5m": "um", "\N{MICRO SIGN}m": "um", "mm": "mm"}
_GREY_16 = ("I;16", "I;16L", "I;16B", "I;16N")
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError, RuntimeError),
    *(MemoryError, OverflowError, struct.error, zlib.error),
)
"""What Pillow raises on broken files: it has no error of its own for them."""


def is_tiff(start: bytes) -> bool:
    """Whether content is a TIFF by its first bytes: plain or big, of either byte order."""
    return start.startswith(TIFF_MARKS)


def read(content: bytes) -> Frame:
    """The one image in a PNG, JPEG or TIFF file, upright as a viewer shows it.

    Alpha is laid over black; a palette becomes colour; 16-bit colour keeps all its bits.

    Raises:
        ReadError: empty, truncated, damaged, of another format, too large, or several pages in one file.
    """
    if not content:
        raise refuse("empty_file", "an image file must have content", "the file is empty", "Export it again.")
    with guarded():
        return _decode(content)


def tiff(source: bytes | Path) -> Any:
    """A TIFF as Pillow opens it, with the tags that only a TIFF has."""
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=("TIFF",))


def read_pages(content: bytes) -> Iterator[Frame]:
    """Every page of a TIFF, one after another.

    Raises:
        ReadError: as ``read`` does.
    """
    with guarded(), tiff(content) as image:
        for page in range(getattr(image, "n_frames", 1)):
            image.seek(page)
            check_extent(*image.size)
            if _wide_colour(image):
                raise refuse("colour_volume", "a volume must be grey", "it is in colour", "Read single images instead.")
            yield _frame(image, content, "")


@contextmanager
def guarded() -> Iterator[None]:
    """Whatever Pillow raises on damaged files becomes a finding.

    Raises:
        ReadError: for anything that Pillow raises inside.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of a decompression bomb from 89 million pixels on, and of damaged metadata.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except ReadError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise refuse(
            "image_too_large",
            "an image may not unfold to an absurd size",
            "a file declares far too many pixels (a decompression bomb?)",
            "Do not trust this file; export it again from its source.",
        ) from None
    except UnidentifiedImageError:
        raise unknown_image() from None
    except _DAMAGED as error:
        raise refuse(
            "damaged_image",
            "an image must be complete and undamaged",
            f"it could not be decoded ({type(error).__name__})",
            "Copy or export it again.",
        ) from None


def check_png(content: bytes) -> None:
    """Check every checksum of a PNG, which reading the pixels alone does not; call it within ``guarded``."""
    if content.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()


def _decode(content: bytes) -> Frame:
    check_png(content)
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        check_extent(*image.size)
        _one_page(image)
        return _frame(image, content, _wide_colour(image))


def _frame(image: Any, content: bytes, rawmode: str) -> Frame:
    facts = _facts(image, len(content))
    depth, inverted = _depth(image)
    pixels = _wide_pixels(content, rawmode) if rawmode else _pixels(image)
    if image.format != "TIFF":  # Pillow turns a TIFF by itself
        pixels = upright(pixels, image.getexif().get(274, 1))
    check_finite(pixels)
    low, high = _range(pixels, depth)
    if inverted:
        pixels = (int(high) - pixels).astype(pixels.dtype)
    return Frame(pixels, low, high, replace(facts, bits=16) if rawmode else facts)


def _one_page(image: Any) -> None:
    # A phone's MPO holds the photograph first and previews after it; in any other file a second page is doubt.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise refuse(
            "several_pages",
            "a file must hold one image",
            "it holds several pages",
            "Save each page as a file of its own and give each its row.",
        )


def _facts(image: Any, size: int) -> FileProperties:
    bits = {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if image.mode in _GREY_16 else 8)
    width, height = image.size
    spacing, unit = _spacing(image)
    return FileProperties(image.format, image.mode, bits, size, width, height, _origin(image), spacing, unit)


def _spacing(image: Any) -> tuple[tuple[float, float] | None, str]:
    """Length of a step as microscopes write it by ImageJ; a resolution for printing (72 dpi) says nothing."""
    if image.format != "TIFF":
        return None, "px"
    stated = re.search(r"^unit=(\S+)", str(image.tag_v2.get(270, "")), flags=re.MULTILINE)
    unit = _UNITS.get(stated.group(1).lower()) if stated and "ImageJ=" in str(image.tag_v2.get(270, "")) else None
    across, down = (float(image.tag_v2.get(tag, 0)) for tag in (282, 283))
    if unit is None or not (across > 0 and down > 0):
        return None, "px"
    return (1 / down, 1 / across), unit


def _origin(image: Any) -> str:
    """Compression as the file tells it; for JPEG the sum of its quantisation table, which mirrors the quality."""
    tables = getattr(image, "quantization", None)
    if tables:
        return f"quantisation {sum(tables[min(tables)])}"
    return str(image.info.get("compression", ""))


def _pixels(image: Any) -> Shaped[np.ndarray, "height width channel"]:
    image.load()
    mode = image.mode
    if mode in ("L", "I", "F") or mode in _GREY_16:
        if "transparency" in image.info and mode == "L":
            return _over_black(np.asarray(image.convert("RGBA")))[:, :, :1]
        return _grey(np.asarray(image))
    if mode == "1":
        return np.asarray(image.convert("L"))[:, :, None]
    if mode == "LA":
        return _over_black(np.asarray(image.convert("RGBA")))[:, :, :1]
    if mode in ("P", "PA", "RGB") and ("transparency" in image.info or mode == "PA"):
        return _over_black(np.asarray(image.convert("RGBA")))
    if mode in ("P", "RGB", "CMYK", "YCbCr"):
        return np.asarray(image if mode == "RGB" else image.convert("RGB"))
    if mode in ("RGBA", "RGBa"):
        return _over_black(np.asarray(image.convert("RGBA")))
    raise refuse(
        "unknown_mode",
        "pixels must be grey or red, green and blue",
        f'they are stored as "{mode}"',
        "Convert the image to grey or RGB.",
    )


def _grey(pixels: Shaped[np.ndarray, "height width"]) -> Shaped[np.ndarray, "height width channel"]:
    """Grey in 8 or 16 bits or as float32; Pillow's 32-bit integers come down to 16 bits where they fit."""
    if pixels.dtype.kind == "f":
        return pixels.astype(np.float32)[:, :, None]
    if pixels.dtype.itemsize == 4:
        if pixels.min() < 0 or pixels.max() > 65535:
            raise refuse(
                "unknown_depth",
                "grey integers must lie within 0 to 65535",
                "32-bit pixels outside this range",
                "Save the image with 16 bits.",
            )
        return pixels.astype(np.uint16)[:, :, None]
    return pixels.astype(pixels.dtype.newbyteorder("="))[:, :, None]


def _over_black(pixels: Shaped[np.ndarray, "height width four"]) -> Shaped[np.ndarray, "height width three"]:
    """Colour laid over black by its opacity, in the same number type."""
    most = np.iinfo(pixels.dtype).max
    opacity = pixels[:, :, 3:]
    if bool((opacity == most).all()):
        return pixels[:, :, :3]
    return np.rint(pixels[:, :, :3] * (opacity / most)).astype(pixels.dtype)


def _wide_colour(image: Any) -> str:
    """Pillow's name for how 16-bit colour lies in this file, or "" if the image is nothing of the kind."""
    if not image.tile:
        return ""
    args = image.tile[0][3]
    rawmode = args if isinstance(args, str) else (args[0] if args else "")
    if not isinstance(rawmode, str) or not re.fullmatch(r"\w+;16[BLN]", rawmode) or image.mode in _GREY_16:
        return ""
    if image.mode in ("RGB", "RGBA"):
        return rawmode
    raise refuse(
        "unknown_depth",
        "16-bit images must be grey or red, green and blue",
        f'16 bits as "{image.mode}"',
        "Save the image as 16-bit grey or RGB.",
    )


def _wide_pixels(content: bytes, rawmode: str) -> Shaped[np.ndarray, "height width channel"]:
    """16-bit colour in full: Pillow keeps one byte of two, so the file is decoded once for each byte.

    Read as big-endian it keeps the first byte of every pair, read as little-endian the second.
    """
    first, second = (_one_byte(content, f"{rawmode[:-1]}{order}") for order in "BL")
    big = rawmode.endswith("B")
    upper, lower = (first, second) if big else (second, first)
    pixels = (upper.astype(np.uint16) << 8) | lower
    return _over_black(pixels) if pixels.shape[2] == 4 else pixels


def _one_byte(content: bytes, rawmode: str) -> Shaped[np.ndarray, "height width channel"]:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        image.tile = [_with_rawmode(tile, rawmode) for tile in image.tile]
        return np.array(image)


def _with_rawmode(tile: Any, rawmode: str) -> Any:
    args = tile[3]
    return tile._replace(args=rawmode if isinstance(args, str) else (rawmode, *args[1:]))


def upright(pixels: Shaped[np.ndarray, "height width channel"], orientation: int) -> Shaped[np.ndarray, "..."]:
    """Turned as the camera says (EXIF tag 274). Source: CIPA DC-008 (Exif 2.32), Orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _depth(image: Any) -> tuple[int, bool]:
    """Bits that carry grey values where a 16-bit TIFF says fewer (else 0), and whether its zero is white.

    Pillow inverts white-is-zero for 8 bits only.
    """
    if image.format != "TIFF" or image.mode not in _GREY_16:
        return 0, False
    bits = image.tag_v2.get(258, (16,))[0]
    return (bits if 8 < bits < 16 else 0), image.tag_v2.get(262) == 0


def _range(pixels: Shaped[np.ndarray, "height width channel"], depth: int) -> tuple[float, float]:
    if pixels.dtype.kind == "f":
        return 0.0, 1.0
    return 0.0, float(2**depth - 1) if depth else float(np.iinfo(pixels.dtype).max)
