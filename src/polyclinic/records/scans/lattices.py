"""The grid that a network sees of a scan: upright, of one spacing, in comparable numbers. No torch.

Upright = the first axis runs to the patient's right, the second to the front, the third to the head (RAS+), as nearly
as the axes of the file allow; oblique scans stay oblique, nothing is interpolated for the sake of a few degrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy import ndimage

from polyclinic.formats.voxels.voxel_grid import right_angled
from polyclinic.geometry import GridGeometry, Lattice, to_working
from polyclinic.translations.phrase import Phrase

_SAME_STEP = 0.01
"""Spacings that differ by less are the same: a scan is not interpolated for the sake of rounding in its header."""
_LARGER = 1.1
"""A scan that is a little larger is cut rather than made coarser; a round number."""
_ALIAS = 1.5
"""Steps that grow by less leave little that could flicker; a round number."""
_MOST_SAMPLED = 1 << 20
"""Points that percentiles are taken of; a round number."""
_BACKGROUND = 0.25
"""A share of points with the lowest value from which it is empty space, not tissue; a round number."""
_TAILS = (0.5, 99.5)
"""Source: percentiles of nnU-Net, Isensee et al., Nature Methods 2021."""


@dataclass(frozen=True)
class Intensity:
    """How measured values become numbers around 0.

    Attributes:
        low: Values below are raised to it; None = of each scan its own percentile 0.5.
        high: Values above are lowered to it; None = percentile 99.5.
        centre: Taken off; None = of each scan its own mean.
        spread: Divided by; None = its own standard deviation.
    """

    low: float | None = None
    high: float | None = None
    centre: float | None = None
    spread: float | None = None

    @property
    def words(self) -> Phrase:
        """A sentence for the card."""
        if self.low is None or self.high is None:
            return Phrase(
                "Values were cut at percentiles 0.5 and 99.5 of each volume, then centred and scaled by its own spread."
            )
        cut = "Values were cut to {low:g} to {high:g}, then centred and scaled alike in all volumes."
        return Phrase(cut, low=self.low, high=self.high)


PER_SCAN = Intensity()


def lattice(
    geometry: GridGeometry,
    spacing: Sequence[float] | None,
    *,
    upright: bool,
    factor: float = 1.0,
    extent: Sequence[int] | None = None,
) -> Lattice:
    """The network's grid of a scan.

    Args:
        geometry: The grid of the file.
        spacing: Step wanted along each axis of the new grid, in mm; None, or a file that does not know its own: as is.
        upright: Whether to turn axes to RAS+; a file that does not know where it lies stays as it is.
        factor: Makes the grid coarser by this.
        extent: A scan that is larger by more than a tenth along any axis is made coarser until it fits.
    """
    if upright and geometry.affine is not None and not right_angled(geometry.affine):
        return _straightened(geometry, geometry.affine, spacing, factor)
    order, signs = _turn(geometry.affine) if upright and geometry.affine is not None else ((0, 1, 2), (1, 1, 1))
    sides = [geometry.shape[axis] for axis in order]
    steps = None if geometry.spacing is None else [geometry.spacing[axis] for axis in order]
    shape = _shape(sides, steps, spacing, factor, extent)
    to_source = np.zeros((3, 4))
    for axis, (source, sign) in enumerate(zip(order, signs, strict=True)):
        ratio = sides[axis] / shape[axis]
        first = (ratio - 1) / 2
        to_source[source, axis] = sign * ratio
        to_source[source, 3] = first if sign > 0 else sides[axis] - 1 - first
    kept = None if steps is None else tuple(s * n / m for s, n, m in zip(steps, sides, shape, strict=True))
    return Lattice(shape, geometry, to_source, kept)


def upright_spacing(geometry: GridGeometry, *, upright: bool) -> tuple[float, ...] | None:
    """Step of the file along each axis of its grid once turned."""
    if geometry.spacing is None:
        return None
    return lattice(geometry, None, upright=upright).spacing


def fill(values: Shaped[np.ndarray, "i j k"], place: Lattice, intensity: Intensity) -> Float[np.ndarray, "*grid"]:
    """Measured values on the network's grid, around 0, in half precision.

    Where the new grid is much coarser than the file, the scan is smoothed first, so that nothing thin flickers.
    """
    low, high, centre, spread = _numbers(values, intensity)
    ratio = np.linalg.norm(place.to_source[:, :3], axis=1)
    if place.shape != place.source.shape or not np.allclose(ratio, 1):
        values = _smoothed(values.astype(np.float32), ratio)
    grid = to_working(values, place, order=1)
    result = np.empty(grid.shape, dtype=np.float16)
    for first in range(grid.shape[0]):
        slab = np.clip(grid[first].astype(np.float32), low, high)
        result[first] = (slab - centre) / spread
    return result


def sampled(values: Shaped[np.ndarray, "i j k"], most: int = _MOST_SAMPLED) -> Shaped[np.ndarray, " point"]:
    """Evenly spaced points of a scan, at most about ``most`` of them."""
    step = max(1, -(-values.size // most))
    return values.reshape(-1)[::step]


def foreground(points: Shaped[np.ndarray, " point"]) -> Bool[np.ndarray, " point"]:
    """Points that are not the empty space around a patient, where a good part has the same lowest value."""
    empty = points == points.min()
    return np.ones_like(empty) if empty.mean() < _BACKGROUND or empty.all() else ~empty


def pooled_intensity(points: Shaped[np.ndarray, " point"]) -> Intensity:
    """Percentiles, mean and spread of points of many scans, for scans that measure in the same unit."""
    low, high = np.percentile(points, _TAILS).tolist()
    clipped = np.clip(points.astype(np.float64), low, high)
    return Intensity(low, high, float(clipped.mean()), float(clipped.std()) or 1.0)


def _numbers(values: Shaped[np.ndarray, "i j k"], intensity: Intensity) -> tuple[float, float, float, float]:
    given = (intensity.low, intensity.high, intensity.centre, intensity.spread)
    if None not in given:
        return given  # type: ignore[return-value]  # none is None
    points = sampled(values)
    points = points[foreground(points)].astype(np.float64)
    own = pooled_intensity(points)
    low, high, centre, spread = (o if g is None else g for g, o in zip(given, vars(own).values(), strict=True))
    return low, high, centre, spread


def _turn(affine: Float[np.ndarray, "4 4"]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each upright axis, the file's axis that runs most nearly along it, and in which sense."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    order = max(permutations(range(3)), key=lambda axes: float(sum(abs(cosines[i, axes[i]]) for i in range(3))))
    return order, tuple(1 if cosines[axis, source] > 0 else -1 for axis, source in enumerate(order))


def _straightened(
    geometry: GridGeometry, affine: Float[np.ndarray, "4 4"], spacing: Sequence[float] | None, factor: float
) -> Lattice:
    """A grid with right angles around a sheared scan, such as one with a tilted gantry: the nearest such axes."""
    order, signs = _turn(affine)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / steps)
    axes = (left @ right)[:, list(order)] * np.array(signs)
    wanted = np.array([steps[axis] for axis in order] if spacing is None else list(spacing)) * factor
    corners = np.stack(np.meshgrid(*[(0, side - 1) for side in geometry.shape], indexing="ij")).reshape(3, -1)
    along = axes.T @ (affine[:3, :3] @ corners + affine[:3, 3:])
    shape = np.floor((along.max(axis=1) - along.min(axis=1)) / wanted + 1e-6).astype(int) + 1
    back = np.linalg.inv(affine)
    turn = back[:3, :3] @ (axes * wanted)
    offset = back[:3, :3] @ (axes @ along.min(axis=1)) + back[:3, 3]
    return Lattice(
        tuple(int(n) for n in shape),
        geometry,
        np.concatenate([turn, offset[:, None]], axis=1),
        tuple(float(step) for step in wanted),
    )


def _shape(
    sides: Sequence[int],
    steps: Sequence[float] | None,
    wanted: Sequence[float] | None,
    factor: float,
    extent: Sequence[int] | None,
) -> tuple[int, ...]:
    ratios = [1.0] * len(sides)
    if steps is not None and wanted is not None:
        ratios = [1.0 if abs(s / w - 1) < _SAME_STEP else s / w for s, w in zip(steps, wanted, strict=True)]
    exact = [side * ratio / factor for side, ratio in zip(sides, ratios, strict=True)]
    if extent is not None:
        beyond = max(side / (_LARGER * most) for side, most in zip(exact, extent, strict=True))
        exact = [side / max(1.0, _LARGER * beyond if beyond > 1 else 1.0) for side in exact]
    return tuple(max(1, round(side)) for side in exact)


def _smoothed(values: Float[np.ndarray, "i j k"], ratio: Float[np.ndarray, " axis"]) -> Float[np.ndarray, "i j k"]:
    for axis, one in enumerate(ratio):
        if one > _ALIAS:
            # Half a new step as standard deviation leaves little above what the new grid can hold.
            values = ndimage.gaussian_filter1d(values, float(one) / 3, axis=axis, mode="nearest")
    return values
