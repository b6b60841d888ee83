"""Images of a column brought to one size, and what the training images have in common. No torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from polyclinic.formats.pictures.frame import Frame
from polyclinic.records.cache import keep
from polyclinic.records.images.decoded import Decoded
from polyclinic.records.images.resize import fractions, is_plain, recolour, resized, resized_bytes

_LARGEST = 128
"""The longest side that is chosen unasked; a round number."""
_FINEST_ANY = 64
"""Up to here images of one size keep it, whatever it is; a round number."""
_STEP = 16
"""Networks halve the side up to four times."""
_ALIKE = 1.05
"""Shapes that differ by less are one shape, as after rounding to whole pixels."""
_MOST_MEASURED = 2000
"""Images whose mean and spread are measured; a round number."""
_IN_MEMORY = 512 * 1024 * 1024
"""Bytes of a stack that stays in memory; a round number."""
_WHITE = {"u1": 255.0, "u2": 65535.0, "f4": 1.0}


@dataclass(frozen=True)
class Stack:
    """Images of one size, ready for a network but for scaling.

    Attributes:
        pixels: One per distinct image: bytes, 16-bit levels or fractions.
        entry: Which of them each row has, -1 where absent.
    """

    pixels: Shaped[np.ndarray, "image height width channel"]
    entry: Int[np.ndarray, " sample"]

    def __len__(self) -> int:
        return len(self.entry)

    def take(
        self, index: Int[np.ndarray, " batch"], mean: Sequence[float], spread: Sequence[float]
    ) -> tuple[Float[np.ndarray, "batch height width channel"], Bool[np.ndarray, " batch"]]:
        """Some rows, with ``mean`` taken off and divided by ``spread`` (0 where absent), and which are present."""
        entry = self.entry[index]
        present = entry >= 0
        if not present.any():
            return np.zeros((len(index), *self.pixels.shape[1:]), dtype=np.float32), present
        deviation = np.array(spread, dtype=np.float32)
        pixels = self.pixels[np.maximum(entry, 0)].astype(np.float32)
        pixels *= 1 / (np.float32(_WHITE[self.pixels.dtype.str[1:]]) * deviation)
        pixels -= np.array(mean, dtype=np.float32) / deviation
        pixels[~present] = 0
        return pixels, present


def stack(decoded: Decoded, extent: tuple[int, int], channels: int, cache: Path | None) -> Stack:
    """Every image at one size and in as many colours; large stacks lie in a file of the cache.

    Bytes stay bytes, other integers become 16-bit levels, measured values become fractions from black to white.
    """
    used, position = np.unique(decoded.entry, return_inverse=True)
    frames = [frame for entry in used if (frame := decoded.at(int(entry))) is not None]
    position = position.reshape(-1) - (len(used) - len(frames))
    shape = (len(frames), *extent, channels)
    dtype = _common_type(frames)
    images = (_resized(frame, extent, channels, dtype) for frame in frames)
    if cache is not None and int(np.prod(shape)) * dtype.itemsize > _IN_MEMORY:
        key = f"{decoded.key}-{extent[0]}-{extent[1]}-{channels}"
        return Stack(keep(cache, key, lambda: ((image, "") for image in images)).stacked(), position)
    pixels = np.empty(shape, dtype=dtype)
    for number, image in enumerate(images):
        pixels[number] = image
    return Stack(pixels, position)


def has_colour(decoded: Decoded, rows: Sequence[int]) -> bool:
    """Whether any image of ``rows`` has colour."""
    return any(frame.pixels.shape[2] > 1 for frame in _some(decoded, rows))


def common_extent(decoded: Decoded, rows: Sequence[int]) -> tuple[int, int]:
    """A height and width that suit the images of ``rows``.

    Images of one size up to 64 keep it. Others get the median of their longer sides, at most 128 and in steps of 16;
    a frame of their common shape if they have one, else a square.
    """
    shapes = np.array([frame.pixels.shape[:2] for frame in _some(decoded, rows)]).reshape(-1, 2)
    if not len(shapes):
        return _FINEST_ANY, _FINEST_ANY
    if len(np.unique(shapes, axis=0)) == 1 and shapes[0].max() <= _FINEST_ANY:
        return int(shapes[0, 0]), int(shapes[0, 1])
    longest = _in_steps(float(np.median(shapes.max(axis=1))))
    ratios = shapes[:, 0] / shapes[:, 1]
    if ratios.max() / ratios.min() > _ALIKE:
        return longest, longest
    ratio = float(np.median(ratios))
    return _in_steps(longest * min(1.0, ratio)), _in_steps(longest * min(1.0, 1 / ratio))


def intensity(decoded: Decoded, rows: Sequence[int], channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each colour over the images of ``rows``, every image counting the same.

    At most 2,000 images, evenly spaced, are measured. Images of one colour leave a standard deviation of 1.
    """
    chosen = np.array(rows, dtype=np.int64)
    if len(chosen) > _MOST_MEASURED:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _MOST_MEASURED).round().astype(np.int64)]
    first, second = np.zeros(channels), np.zeros(channels)
    for frame in _some(decoded, chosen):
        pixels = recolour(fractions(frame), channels).astype(np.float64)
        first += pixels.mean(axis=(0, 1))
        second += (pixels**2).mean(axis=(0, 1))
    mean = first / max(1, len(chosen))
    spread = np.sqrt(np.maximum(second / max(1, len(chosen)) - mean**2, 0))
    return tuple(mean.tolist()), tuple(np.where(spread > 1e-6, spread, 1.0).tolist())


def _some(decoded: Decoded, rows: Sequence[int] | Int[np.ndarray, " row"]) -> Iterator[Frame]:
    return (frame for row in rows if (frame := decoded.frame(int(row))) is not None)


def _common_type(frames: Sequence[Frame]) -> np.dtype[np.generic]:
    if all(is_plain(frame) for frame in frames):
        return np.dtype(np.uint8)
    return np.dtype(np.float32 if any(frame.pixels.dtype.kind == "f" for frame in frames) else np.uint16)


def _resized(
    frame: Frame, extent: tuple[int, int], channels: int, dtype: np.dtype[np.generic]
) -> Shaped[np.ndarray, "height width channel"]:
    if dtype == np.uint8:
        return resized_bytes(frame, extent, channels)
    pixels = resized(frame, extent, channels)
    return pixels if dtype == np.float32 else np.rint(np.clip(pixels, 0, 1) * 65535).astype(np.uint16)


def _in_steps(side: float) -> int:
    return int(np.clip(round(side / _STEP) * _STEP, _STEP, _LARGEST))
