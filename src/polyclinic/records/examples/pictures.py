"""Synthetic pictures for tests, tutorials and ``example_cohort``: noise with two spots, one meaningful. No torch."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped
from PIL import Image

from polyclinic.geometry import GridGeometry, GridKnown

_SPREAD = 0.012
"""Squared width of a spot as a share of the sides: some three pixels of thirty. Chosen by eye."""
_HALF = 0.5
"""What is at least half as bright as its middle is the spot."""
_PLACES = (0.3, 0.7)
"""Middles of the spots as shares of the sides: wholly inside, and apart from each other."""


def write(
    rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
) -> tuple[list[str], list[GridKnown]]:
    """Grey noise of several sizes with a spot in the upper left quarter, the brighter the higher the signal.

    A second spot in the lower right quarter has a brightness that means nothing. What is known are both spots.

    Returns:
        Paths relative to ``folder``, and where the spots are.
    """
    (folder / name).mkdir(parents=True, exist_ok=True)
    paths, known = [], []
    for number, value in enumerate(signal):
        path = f"{name}/{number:05d}.png"
        pixels, objects = _draw(rng, float(value))
        Image.fromarray(pixels).save(folder / path)
        paths.append(path)
        known.append(GridKnown(GridGeometry((pixels.shape[0], pixels.shape[1])), objects))
    return paths, known


def _draw(
    rng: np.random.Generator, value: float
) -> tuple[Shaped[np.ndarray, "height width"], Int[np.ndarray, "height width"]]:
    height, width = (int(side) for side in rng.integers(26, 35, size=2))
    row, column = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    marker, idle = (np.exp(-((row - at) ** 2 + (column - at) ** 2) / _SPREAD) for at in _PLACES)
    level = 90 + 12 * rng.standard_normal((height, width))
    level += marker * (60 + 25 * np.clip(value, -2.5, 2.5)) + idle * (60 + 25 * rng.standard_normal())
    objects = (marker > _HALF) + 2 * (idle > _HALF).astype(np.int32)
    return np.clip(np.rint(level), 0, 255).astype(np.uint8), np.asarray(objects, dtype=np.int32)
