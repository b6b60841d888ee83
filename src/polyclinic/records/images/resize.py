"""An image brought to the size and colours that a network takes: shape kept, rest filled with black. No torch."""

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from PIL import Image

from polyclinic.formats.pictures.frame import Frame

LUMA = (0.299, 0.587, 0.114)
"""Weight of red, green and blue in grey. Source: ITU-R BT.601-7, section 2.5.1."""

_RED_GREEN_BLUE = 3


def is_plain(frame: Frame) -> bool:
    """Whether the pixels are bytes from black 0 to white 255, which need no scaling."""
    return frame.pixels.dtype == np.uint8 and (frame.low, frame.high) == (0.0, 255.0)


def fractions(frame: Frame) -> Float[np.ndarray, "height width channel"]:
    """Pixels as fractions from black (0) to white (1)."""
    return ((frame.pixels - np.float32(frame.low)) / np.float32(frame.high - frame.low)).astype(np.float32)


def resized(frame: Frame, extent: tuple[int, int], channels: int) -> Float[np.ndarray, "height width channel"]:
    """An image as fractions of another size.

    Args:
        frame: The image.
        extent: Height and width wanted, in pixels.
        channels: 1 for grey, 3 for colour.
    """
    pixels = recolour(fractions(frame), channels)
    inner = _inner(frame.pixels.shape[:2], extent)
    planes = [_plane(pixels[:, :, channel], inner) for channel in range(channels)]
    return _framed(np.stack(planes, axis=2), extent)


def resized_bytes(frame: Frame, extent: tuple[int, int], channels: int) -> UInt8[np.ndarray, "height width channel"]:
    """The same for pixels that are plain bytes, which stay bytes: quicker, and the very pixels if the size fits."""
    pixels = recolour(frame.pixels, channels)
    inner = _inner(pixels.shape[:2], extent)
    if pixels.shape[:2] != inner:
        image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
        small = np.asarray(image.resize((inner[1], inner[0]), Image.Resampling.BILINEAR))
        pixels = small.reshape(*inner, channels)
    return _framed(pixels, extent)


def recolour(pixels: Shaped[np.ndarray, "height width _"], channels: int) -> Shaped[np.ndarray, "height width channel"]:
    """Grey or colour as asked, in the same number type."""
    if pixels.shape[2] == channels:
        return np.ascontiguousarray(pixels)
    if channels == _RED_GREEN_BLUE:
        return np.repeat(pixels, _RED_GREEN_BLUE, axis=2)
    grey = pixels @ np.array(LUMA, dtype=np.float32)
    return (np.rint(grey) if pixels.dtype.kind == "u" else grey).astype(pixels.dtype)[:, :, None]


def _inner(shape: tuple[int, ...], extent: tuple[int, int]) -> tuple[int, int]:
    """Largest size of the same shape that fits; a difference of a pixel or two is no difference of shape."""
    scale = min(extent[0] / shape[0], extent[1] / shape[1])
    height, width = (max(1, round(side * scale)) for side in shape[:2])
    near = abs(height - extent[0]) <= extent[0] // 50 and abs(width - extent[1]) <= extent[1] // 50
    return extent if near else (height, width)


def _plane(plane: Float[np.ndarray, "height width"], inner: tuple[int, int]) -> Float[np.ndarray, "_ _"]:
    if plane.shape == inner:
        return plane
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((inner[1], inner[0]), Image.Resampling.BILINEAR))


def _framed(pixels: Shaped[np.ndarray, "_ _ channel"], extent: tuple[int, int]) -> Shaped[np.ndarray, "_ _ channel"]:
    """Black around what does not fill the frame."""
    if pixels.shape[:2] == extent:
        return pixels
    whole = np.zeros((*extent, pixels.shape[2]), dtype=pixels.dtype)
    top, left = ((outer - inner) // 2 for outer, inner in zip(extent, pixels.shape[:2], strict=True))
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole
