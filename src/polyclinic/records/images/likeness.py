"""Which images of a column are the same image, also after another encoding or another size. No torch.

Equal pixels are found by a hash. An image saved again with loss or at another size has other pixels, so all pairs of
like brightness are compared at 32 x 32 pixels as well.
"""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float, UInt64

from polyclinic.formats.pictures.frame import Frame
from polyclinic.records.images.resize import fractions, is_plain, resized

SAME = 0.05
"""Two images are one if they differ by less than this share of their contrast. Measured on every pair of BreastMNIST
and PneumoniaMNIST: doubles lie at 0.01 to 0.05 (and look it), the most alike of other images at 0.17, most at 0.3."""

_SIDE = 32
"""Pixels a side at which pairs are compared: ``SAME`` was measured so."""
_COARSE = 16
"""Half of that, for the first look at all pairs: averaging brings images nearer, so none is missed."""
_BLOCK = 512
"""Images compared with all others in one product of matrices: bounds the memory; a round number."""
_SLACK = 1.02
"""The first look passes a little more than ``SAME``: it is done in single precision. A round number."""


def fingerprints(frames: Iterable[Frame | None]) -> UInt64[np.ndarray, " image"]:
    """A number per image, 0 where there is none: images with equal or nearly equal content get equal numbers.

    The number of an image that has doubles depends on them: compare within one call only.
    """
    exact: list[int] = []
    small: dict[int, Float[np.ndarray, "side side"]] = {}
    for frame in frames:
        number = 0 if frame is None else _exact(frame)
        exact.append(number)
        if frame is not None and number not in small:
            small[number] = resized(frame, (_SIDE, _SIDE), 1)[:, :, 0].astype(np.float16)
    leader = _join(list(small), np.array(list(small.values())).reshape(-1, _SIDE, _SIDE))
    return np.array([leader.get(number, 0) for number in exact], dtype=np.uint64)


def difference(one: Float[np.ndarray, "side side"], other: Float[np.ndarray, "side side"]) -> float:
    """How far two images differ, as a share of their contrast: 0 = the same, 1 = nothing in common."""
    contrast = float(np.sqrt(one.var(dtype=np.float64) + other.var(dtype=np.float64)))
    gap = float(np.sqrt(np.mean((one.astype(np.float64) - other) ** 2)))
    return gap / contrast if contrast > 0 else float(gap > 0)


def _exact(frame: Frame) -> int:
    """Hash of the pixels as 8-bit levels and of their number: the same for every lossless way to store them."""
    levels = frame.pixels if is_plain(frame) else np.rint(np.clip(fractions(frame), 0, 1) * 255).astype(np.uint8)
    digest = hashlib.blake2b(str(levels.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(levels).data)
    return int.from_bytes(digest.digest(), "little") or 1


def _join(numbers: list[int], images: Float[np.ndarray, "image side side"]) -> dict[int, int]:
    """The smallest number among the images that are one with each."""
    root = list(range(len(numbers)))

    def find(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one, other in _candidates(images):
        first, second = find(one), find(other)
        if first != second and difference(images[one], images[other]) < SAME:
            keep, drop = (first, second) if numbers[first] < numbers[second] else (second, first)
            root[drop] = keep
    return {number: numbers[find(index)] for index, number in enumerate(numbers)}


def _candidates(images: Float[np.ndarray, "image side side"]) -> Iterator[tuple[int, int]]:
    """All pairs that may be one.

    Means differ by no more than pixels do, so only neighbours in brightness are compared; and averaging brings images
    nearer to each other, never further apart, so nothing is missed by comparing them at 16 x 16 first.
    """
    if len(images) < 2:
        return
    order = np.argsort(images.mean(axis=(1, 2), dtype=np.float64), kind="stable")
    step = _SIDE // _COARSE
    sorted_ = images[order].astype(np.float32)
    mean, spread = sorted_.mean(axis=(1, 2)), sorted_.var(axis=(1, 2))
    coarse = sorted_.reshape(-1, _COARSE, step, _COARSE, step).mean(axis=(2, 4)).reshape(len(images), -1)
    coarse -= coarse.mean()
    norm = (coarse**2).sum(axis=1)
    reach = _SLACK * SAME * float(np.sqrt(2 * spread.max()))
    for start in range(0, len(images), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(images)))
        end = int(np.searchsorted(mean, mean[block.stop - 1] + reach, side="right"))
        gap = (norm[block, None] + norm[None, start:end] - 2 * coarse[block] @ coarse[start:end].T) / _COARSE**2
        near = gap <= (_SLACK * SAME) ** 2 * (spread[block, None] + spread[None, start:end]) + 1e-7
        for one, other in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            yield int(order[start + one]), int(order[start + other])
