"""An image as PNG for the report, with the heat of an explanation over it. No torch."""

import io

import numpy as np
from jaxtyping import Float
from PIL import Image

from polyclinic.formats.pictures.frame import Frame
from polyclinic.records.images.resize import resized

_SIDE = 256
"""Pixels of the longer side in the report; a round number."""
_ENLARGE = 8
"""Most that a small picture is enlarged, so that a pixel stays a pixel to the eye; a round number."""
_OPACITY = 0.55
"""Of the strongest heat: what lies beneath must stay visible. Chosen by eye."""
_RAISES = (0.84, 0.15, 0.16)
"""A red, and below a blue."""
_LOWERS = (0.13, 0.40, 0.67)


def heated_png(frame: Frame, heat: Float[np.ndarray, "row column"] | None = None) -> bytes:
    """The bytes of a PNG, longer side 256 pixels (less for very small images).

    Args:
        frame: The image.
        heat: What each place adds to the answer, of any size: red raises it, blue lowers it, the strongest is densest.
    """
    height, width = frame.pixels.shape[:2]
    scale = min(_SIDE / max(height, width), _ENLARGE)
    extent = (max(1, round(height * scale)), max(1, round(width * scale)))
    colours = np.clip(resized(frame, extent, 3), 0, 1)
    if heat is not None:
        colours = _heated(colours, heat)
    return png_bytes(Image.fromarray(np.rint(colours * 255).astype(np.uint8)))


def png_bytes(image: Image.Image) -> bytes:
    """An image as the bytes of a PNG."""
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _heated(
    colours: Float[np.ndarray, "height width 3"], heat: Float[np.ndarray, "row column"]
) -> Float[np.ndarray, "height width 3"]:
    strongest = max(float(np.abs(heat).max(initial=0)), 1e-12)
    sheet = Image.fromarray((heat / strongest).astype(np.float32))
    smooth = sheet.resize((colours.shape[1], colours.shape[0]), Image.Resampling.BICUBIC)
    level = np.clip(np.asarray(smooth), -1, 1)[:, :, None]
    opacity = _OPACITY * np.abs(level)
    return np.asarray(colours * (1 - opacity) + np.where(level > 0, _RAISES, _LOWERS) * opacity)
