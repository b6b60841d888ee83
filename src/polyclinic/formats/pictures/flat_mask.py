"""Flat masks: labels as pixels store them, never colours. By Pillow. No torch."""

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer, Shaped, UInt8
from PIL import Image

from polyclinic.formats.pictures import raster
from polyclinic.formats.pictures.frame import check_extent
from polyclinic.formats.voxels.voxel_grid import Mask, VolumeFacts, labels_of, refuse

_FORMATS = ("PNG", "TIFF", "GIF", "BMP", "JPEG")
_LOSSY = ("jpeg", "webp", "jpeg2000")
_OPAQUE = 255
"""Opacity in 8 bits, to which Pillow brings all colour with transparency."""


def is_flat_tiff(path: Path) -> bool:
    """Whether a file is a TIFF of one page."""
    with path.open("rb") as stream:
        if not raster.is_tiff(stream.read(4)):
            return False
    with raster.guarded(), raster.tiff(path) as image:
        return getattr(image, "n_frames", 1) == 1


def read(content: bytes) -> Mask:
    """The labels of a picture of one page.

    Raises:
        ReadError: colours instead of labels, lossy compression, fractions, or a damaged file.
    """
    with raster.guarded():
        raster.check_png(content)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check_flat(image)
            stored = _indices(image)
            if image.format != "TIFF":  # Pillow turns a TIFF by itself
                stored = raster.upright(stored[:, :, None], image.getexif().get(274, 1))[:, :, 0]
            facts = VolumeFacts(str(image.format), "", 8 * stored.dtype.itemsize, len(content), stored.shape)
    labels, values = labels_of(stored)
    return Mask(labels, (), values, None, None, facts)


def png(labels: Integer[np.ndarray, "row column"]) -> bytes:
    """Labels as the content of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(labels).save(stream, format="PNG")
    return stream.getvalue()


def _check_flat(image: Any) -> None:
    check_extent(*image.size)
    if image.format == "JPEG" or str(image.info.get("compression", "")).lower() in _LOSSY:
        rule, found = "a mask must be stored without loss", "it was compressed with loss: its edges are no labels"
        raise refuse("lossy_mask", rule, found, "Save it as PNG from its source.")
    if getattr(image, "n_frames", 1) > 1:
        rule, found = "a file must hold one flat mask", "it holds several"
        raise refuse("several_pages", rule, found, "Save each as a file of its own.")


def _indices(image: Any) -> Shaped[np.ndarray, "row column"]:
    """Labels as stored: indices of a palette, never its colours. A GIF has no grey but a palette of greys."""
    image.load()
    if image.mode == "P":
        stored = np.asarray(image)
        greys = _greys(image.getpalette() or [])
        if image.format == "GIF" and greys is not None:
            return np.asarray(greys[stored])
        _check_palette(image.getpalette() or [], np.unique(stored).tolist())
        return stored
    if image.mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        return _of_colours(np.asarray(image.convert("RGBA")))
    if image.mode == "RGB":
        return _of_colours(np.asarray(image))
    if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16"):
        stored = np.asarray(image)
        return stored.astype(stored.dtype.newbyteorder("="))
    rule, found = "a mask must hold labels", f'its pixels are stored as "{image.mode}"'
    raise refuse("colour_mask", rule, found, "Save it as a grey or indexed PNG.")


def _greys(palette: Sequence[int]) -> UInt8[np.ndarray, " index"] | None:
    """The grey of each index, or None if the palette has colours."""
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[: len(palette) // 3] = np.array(palette, dtype=np.uint8)[: 3 * (len(palette) // 3)].reshape(-1, 3)
    return colours[:, 0] if bool((colours == colours[:, :1]).all()) else None


def _check_palette(palette: Sequence[int], used: Sequence[int]) -> None:
    """A grey palette must grow with its index: else it is not clear whether index or grey is the label."""
    colours = [tuple(palette[3 * index : 3 * index + 3]) for index in used]
    greys = [colour[0] for colour in colours if len(set(colour)) == 1]
    if len(greys) == len(colours) and any(a >= b for a, b in pairwise(greys)):
        raise refuse(
            "inverted_palette",
            "greys of a palette must grow with their index",
            "they do not: index and grey say different things",
            "Save the mask as a grey PNG.",
        )


def _of_colours(pixels: UInt8[np.ndarray, "row column channel"]) -> UInt8[np.ndarray, "row column"]:
    """Grey in colour's clothes as what it is; true colours and transparency are refused."""
    if not bool((pixels[:, :, :3] == pixels[:, :, :1]).all()):
        rule, found = "a mask must hold labels", "it holds colours"
        raise refuse(
            "colour_mask", rule, found, "Save it as a grey or indexed PNG; which colour is which, only you know."
        )
    if pixels.shape[2] == 4 and not bool((pixels[:, :, 3] == _OPAQUE).all()):
        rule, found = "a mask must be opaque", "parts of it are transparent"
        raise refuse("transparent_mask", rule, found, "Save it without transparency.")
    return pixels[:, :, 0]
