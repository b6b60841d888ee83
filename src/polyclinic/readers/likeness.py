"""Which images of a column are the same image, also after another encoding or another size. No torch.

Equal pixels are found by a hash. An image saved again with loss (JPEG) or scaled has other pixels: candidates are
images whose coarse thumbnails agree, and each pair is then compared at 32 x 32 pixels before it counts as one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float, UInt8, UInt64

from polyclinic.readers.frames import Frame
from polyclinic.readers.resize import fractions, is_plain, resized

_SIDE = 32
_CELLS = 8
_LEVELS = 16
_PHASES = (0.0, 0.25, 0.5, 0.75)
"""The coarse levels are cut at four offsets: noise that crosses a cut at one does not at all four."""
_SAME = 0.05
"""Two images are one if they differ by less than this share of their own contrast; different radiographs differ by 0.3
or more, quality-75 JPEG by 0.01 to 0.03 (measured on MedMNIST, DRIVE and BCCD)."""
_MOST_COMPARED = 64


def fingerprints(frames: Iterable[Frame | None]) -> UInt64[np.ndarray, " image"]:
    """A number per image, 0 where there is none: images with equal or nearly equal content get equal numbers.

    The number of an image that is like others depends on them: compare within one call only.
    """
    exact: list[int] = []
    small: dict[int, Float[np.ndarray, "side side"]] = {}
    for frame in frames:
        number = 0 if frame is None else _exact(frame)
        exact.append(number)
        if frame is not None and number not in small:
            small[number] = resized(frame, (_SIDE, _SIDE), 1)[:, :, 0]
    leader = _join(list(small), list(small.values()))
    return np.array([leader.get(number, 0) for number in exact], dtype=np.uint64)


def _exact(frame: Frame) -> int:
    """Hash of the pixels as 8-bit levels and of their number: the same for every lossless way to store them."""
    levels = frame.pixels if is_plain(frame) else np.rint(np.clip(fractions(frame), 0, 1) * 255).astype(np.uint8)
    digest = hashlib.blake2b(str(levels.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(levels).data)
    return int.from_bytes(digest.digest(), "little") or 1


def _join(numbers: list[int], images: list[Float[np.ndarray, "side side"]]) -> dict[int, int]:
    """The smallest number among the images that are one with each."""
    root = list(range(len(numbers)))

    def find(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one, other in _candidates(images):
        first, second = find(one), find(other)
        if first != second and difference(images[one], images[other]) < _SAME:
            keep, drop = (first, second) if numbers[first] < numbers[second] else (second, first)
            root[drop] = keep
    return {number: numbers[find(place)] for place, number in enumerate(numbers)}


def _candidates(images: list[Float[np.ndarray, "side side"]]) -> Iterator[tuple[int, int]]:
    """Pairs whose coarse thumbnails agree; in a large crowd of plain images each is compared with its neighbours."""
    step = _SIDE // _CELLS
    for phase in _PHASES:
        groups: dict[bytes, list[int]] = defaultdict(list)
        for place, image in enumerate(images):
            groups[_coarse(image, step, phase).tobytes()].append(place)
        for group in groups.values():
            for start, one in enumerate(group):
                yield from ((one, other) for other in group[start + 1 : start + 1 + _MOST_COMPARED])


def _coarse(image: Float[np.ndarray, "side side"], step: int, phase: float) -> UInt8[np.ndarray, "cell cell"]:
    cells = image.reshape(_CELLS, step, _CELLS, step).mean(axis=(1, 3))
    return np.asarray(np.floor(cells * _LEVELS + phase), dtype=np.uint8)


def difference(one: Float[np.ndarray, "side side"], other: Float[np.ndarray, "side side"]) -> float:
    """How far two images differ, as a share of their contrast: 0 = the same, 1 = nothing in common."""
    contrast = float(np.sqrt(one.var() + other.var()))
    return float(np.sqrt(np.mean((one - other) ** 2))) / contrast if contrast > 0 else float(bool((one != other).any()))
