"""Pictures of any sizes at the resolution at which a dense question is asked, cut where a view falls. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.formats.pictures.frame import Frame
from polyclinic.geometry import GridGeometry, Lattice
from polyclinic.records.cache import RaggedArray, keep
from polyclinic.records.images.decoded import Decoded
from polyclinic.records.images.resize import is_plain, recolour, resized, resized_bytes

_LARGEST_PATCH = 128
"""As for whole images."""
_SMALLEST_PATCH = 16
"""One step of the network: it halves the side four times."""
_NOTHING = np.zeros((0, 0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class ResampledPictures:
    """Pictures as they are, or made smaller or larger all by the same factor.

    Attributes:
        images: Pixels of each distinct picture; an unreadable one has none.
        low: Pixel value that is black, by picture.
        high: Pixel value that is white, by picture.
        source: The file's grid, by picture.
        entry: Which picture each row has, -1 where absent.
        channels: 1 = grey, 3 = colour.
        mean: Taken off each channel, as a fraction from black to white.
        spread: Divided by.
    """

    images: RaggedArray
    low: tuple[float, ...]
    high: tuple[float, ...]
    source: tuple[GridGeometry, ...]
    entry: Int[np.ndarray, " sample"]
    channels: int
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.entry)

    def shape(self, row: int) -> tuple[int, int] | None:
        """Height and width of a row's picture at the working resolution, None where absent."""
        entry = int(self.entry[row])
        if entry < 0:
            return None
        height, width = self.images.shape[entry][:2]
        return height, width

    def place(self, row: int) -> Lattice | None:
        """Where the points of a row's grid lie in its file: the middle of a pixel upon the middle."""
        shape = self.shape(row)
        if shape is None:
            return None
        source = self.source[int(self.entry[row])]
        ratio = np.array([n / m for n, m in zip(source.shape, shape, strict=True)])
        to_source = np.concatenate([np.diag(ratio), ((ratio - 1) / 2)[:, None]], axis=1)
        spacing = None if source.spacing is None else tuple((np.array(source.spacing) * ratio).tolist())
        return Lattice(shape, source, to_source, spacing)

    def cut(self, row: int, start: Sequence[int], size: Sequence[int]) -> Float[np.ndarray, "height width channel"]:
        """A box of a row's picture, scaled; beyond the picture its border is repeated. 0 where it is absent."""
        entry = int(self.entry[row])
        if entry < 0:
            return np.zeros((*size, self.channels), dtype=np.float32)
        image = self.images[entry]
        down, across = (
            np.clip(np.arange(first, first + length), 0, side - 1)
            for first, length, side in zip(start, size, image.shape[:2], strict=True)
        )
        box = image[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        if box.shape[:2] != tuple(size):
            box = box[down - down[0]][:, across - across[0]]
        low, high = np.float32(self.low[entry]), np.float32(self.high[entry])
        shares = recolour(((box - low) / (high - low)).astype(np.float32), self.channels)
        scaled = (shares - np.array(self.mean, dtype=np.float32)) / np.array(self.spread, dtype=np.float32)
        return np.asarray(scaled, dtype=np.float32)


def resample_pictures(
    decoded: Decoded,
    scale: float,
    channels: int,
    intensity: tuple[tuple[float, ...], tuple[float, ...]],
    cache: Path | None,
) -> ResampledPictures:
    """The pictures of a column at a scale; at their own they are taken as they were decoded, nothing is copied.

    Args:
        decoded: The pictures.
        scale: 1 = as in the file, 0.5 = half as many pixels along each side.
        channels: 1 = grey, 3 = colour.
        intensity: Mean and standard deviation of each channel.
        cache: Where scaled pictures may be kept, or None.
    """
    source = tuple(geometry_of(decoded, entry) for entry in range(len(decoded.arrays)))
    if scale == 1:
        return ResampledPictures(decoded.arrays, decoded.low, decoded.high, source, decoded.entry, channels, *intensity)
    frames = [decoded.at(entry) for entry in range(len(decoded.arrays))]
    key = f"{decoded.key}-scale-{scale:.6g}-{channels}"
    images = keep(cache, key, lambda: [(_resized(frame, scale, channels), "") for frame in frames])
    white = {"u": 255.0, "f": 1.0}
    high = tuple(white[np.dtype(kind).kind] for kind in images.dtype)
    return ResampledPictures(images, (0.0,) * len(high), high, source, decoded.entry, channels, *intensity)


def geometry_of(decoded: Decoded, entry: int) -> GridGeometry:
    """The grid of a picture's file."""
    height, width = decoded.arrays.shape[entry][:2]
    facts = decoded.facts[entry]
    if facts is None or facts.spacing is None:
        return GridGeometry((height, width))
    return GridGeometry((height, width), None, facts.spacing, facts.unit)


def choose_patch(decoded: Decoded, rows: Sequence[int], scale: float) -> tuple[int, int]:
    """Height and width of a view: up to 128 pixels, less where the usual training picture is smaller."""
    entries = [int(decoded.entry[row]) for row in rows if decoded.entry[row] >= 0]
    shapes = np.array([decoded.arrays.shape[entry][:2] for entry in entries]).reshape(-1, 2) * scale
    usual = np.median(shapes, axis=0) if len(shapes) else np.full(2, _LARGEST_PATCH)
    height, width = (int(np.clip(np.ceil(side), _SMALLEST_PATCH, _LARGEST_PATCH)) for side in usual)
    return height, width


def _resized(frame: Frame | None, scale: float, channels: int) -> Shaped[np.ndarray, "_ _ _"]:
    if frame is None:
        return _NOTHING
    height, width = (max(1, round(side * scale)) for side in frame.pixels.shape[:2])
    return (resized_bytes if is_plain(frame) else resized)(frame, (height, width), channels)
