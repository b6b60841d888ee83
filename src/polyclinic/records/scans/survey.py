"""What the scans of the training rows have in common: spacing, size, intensities; the patch that suits. No torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.records.scans.lattices import (
    PER_SCAN,
    Intensity,
    foreground,
    lattice,
    pooled_intensity,
    sampled,
    upright_spacing,
)
from polyclinic.records.scans.scans import Scan, Scans

_AIR_HU = -500.0
"""Halfway between air (-1,000) and water (0): nothing in a body but lung and gut lies below."""
_FEW = 20_000
"""Points of each scan that are looked at together with those of the others; a round number."""
_MOST_MEASURED = 200
"""Scans that are looked at; a round number."""


@dataclass(frozen=True)
class Survey:
    """Measures of the training scans.

    Attributes:
        spacing: Step of the network's grid along each axis, in mm; None = each file keeps its own.
        shape: Median number of points along each axis of that grid.
        largest: Percentile 90 of the same.
        steps: Median step along each axis as it comes out, in mm; 1 where no file knows its own.
    """

    spacing: tuple[float, ...] | None
    shape: tuple[int, ...]
    largest: tuple[int, ...]
    steps: tuple[float, ...]


def survey(scans: Scans, rows: Sequence[int], wanted: Sequence[float] | str, *, upright: bool) -> Survey:
    """Measure spacing and size.

    Args:
        scans: The column.
        rows: Training rows.
        wanted: Spacing along each axis in mm, "auto" for the median of the rows, or "native".
        upright: Whether axes are turned to RAS+.
    """
    geometries = [one.geometry for one in _some(scans, rows)]
    known = [upright_spacing(geometry, upright=upright) for geometry in geometries]
    known_steps = np.array([step for step in known if step is not None]).reshape(-1, 3)
    spacing: tuple[float, ...] | None = None
    if not isinstance(wanted, str):
        spacing = tuple(wanted)
    elif wanted == "auto" and len(known_steps) and len(known_steps) == len(known):
        spacing = tuple(np.round(np.median(known_steps, axis=0), 4).tolist())
    shapes = [lattice(geometry, spacing, upright=upright).shape for geometry in geometries] or [(32, 32, 32)]
    steps = spacing or (tuple(np.median(known_steps, axis=0).tolist()) if len(known_steps) else (1.0, 1.0, 1.0))
    middle = np.rint(np.median(shapes, axis=0)).astype(int)
    largest = np.ceil(np.percentile(shapes, 90, axis=0)).astype(int)
    return Survey(spacing, tuple(middle.tolist()), tuple(largest.tolist()), steps)


def suitable_intensity(scans: Scans, rows: Sequence[int], window: str | tuple[float, float] = "auto") -> Intensity:
    """How values become numbers: by centre and width, or found from the training rows.

    CT (the file says so, or air lies below -500) is measured in one unit everywhere: percentiles 0.5 and 99.5, mean
    and spread of what is not air. The same for bytes that use the same range in every scan, such as drawn shapes.
    Anything else, such as MR, has no unit: each scan by its own percentiles, mean and spread, as for "scan".
    """
    if not isinstance(window, str):
        centre, width = window
        return Intensity(centre - width / 2, centre + width / 2, centre, width / 4)
    found = list(_some(scans, rows))
    if not found or window == "scan":
        return PER_SCAN
    if all(_is_ct(scan) for scan in found):
        points = np.concatenate([sampled(scan.values, _FEW).astype(np.float32) for scan in found])
        inside = points[points > _AIR_HU]
        return pooled_intensity(inside if len(inside) else points)
    if all(scan.values.dtype == np.uint8 for scan in found) and len({int(scan.values.max()) for scan in found}) == 1:
        points = np.concatenate([sampled(scan.values, _FEW).astype(np.float32) for scan in found])
        return Intensity(0.0, 255.0, float(points.mean()), float(points.std()) or 1.0)
    return PER_SCAN


def _is_ct(scan: Scan) -> bool:
    if scan.facts.modality:
        return scan.facts.modality == "CT"
    return scan.values.dtype.kind == "i" and float(scan.values.min()) < _AIR_HU


def _some(scans: Scans, rows: Sequence[int]) -> Iterator[Scan]:
    """The scans of rows, or of 200 of them evenly spaced."""
    entries = list(dict.fromkeys(int(scans.entry[row]) for row in rows if scans.entry[row] >= 0))
    if len(entries) > _MOST_MEASURED:
        entries = [entries[i] for i in np.linspace(0, len(entries) - 1, _MOST_MEASURED).round().astype(int)]
    return (scan for entry in entries if (scan := scans.at(entry)) is not None)


def describe(scan: Scan) -> Float[np.ndarray, " feature"]:
    """A scan in some two hundred plain numbers, whatever its size: size, levels, and what it looks like from afar."""
    values = scan.values
    points = sampled(values).astype(np.float64)
    low, high = np.percentile(points, (1, 99))
    inside = points[foreground(points)]
    levels = np.percentile(inside, (5, 25, 50, 75, 95))
    sides = np.array(scan.geometry.spacing or (1.0, 1.0, 1.0)) * values.shape
    blocks = (_blocks(values, _SIDE) - low) / max(high - low, 1e-6)
    share = len(inside) / max(1, len(points))
    return np.concatenate([sides, [share, points.mean(), points.std()], levels, blocks.ravel()])


_SIDE = 6
NAMES = (
    *(f"side_{axis}" for axis in "ijk"),
    *("share_filled", "mean", "spread"),
    *(f"percentile_{level}" for level in (5, 25, 50, 75, 95)),
    *(f"block_{i}_{j}_{k}" for i in range(_SIDE) for j in range(_SIDE) for k in range(_SIDE)),
)
"""Names of what ``describe`` gives, in order."""


def _blocks(values: Shaped[np.ndarray, "i j k"], side: int) -> Float[np.ndarray, "side side side"]:
    """Mean of each of ``side`` x ``side`` x ``side`` boxes."""
    for axis in range(3):
        length = values.shape[axis]
        edges = np.linspace(0, length, side + 1)
        first = np.minimum(np.floor(edges[:-1]).astype(int), length - 1)
        total = np.add.reduceat(values, first, axis=axis, dtype=np.float64)
        count = np.maximum(np.diff(np.append(first, length)), 1)
        values = total / count.reshape([-1 if n == axis else 1 for n in range(3)])
    return values
