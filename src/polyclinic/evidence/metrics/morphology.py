"""The form of cells, one row each: size, outline, roundness, brightness, texture, neighbours. numpy, scipy and polars.

Lengths are in the unit of the spacing; names of columns say which. Everything of a picture is counted at once for all
of its cells, but for the convex hulls.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from scipy import ndimage
from scipy.spatial import ConvexHull, cKDTree

LEVELS = 16
"""Grey levels of the texture. Source: 8 to 32 are usual; Haralick RM et al. IEEE Trans. SMC 1973;3:610-621 took 16."""
REACH = 10.0
"""Cells whose outlines are this near are neighbours, in the unit of the spacing; a nucleus is about 10 um wide."""
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Shapes:
    """The form of every object of a picture, in order of their numbers.

    Attributes:
        ids: Numbers of the objects.
        row: Centre along the first axis, in points of the file.
        column: Centre along the second axis.
        area: In the unit of the spacing, squared.
        perimeter: Length of the outline; see ``perimeters``.
        major: Length of the ellipse with the same second moments.
        minor: Its width.
        eccentricity: Of that ellipse: 0 = round, near 1 = drawn out.
        solidity: Share of the convex hull that is filled.
        roundness: 4 pi area / perimeter squared: 1 = a disc.
    """

    ids: Int[np.ndarray, " cell"]
    row: Float[np.ndarray, " cell"]
    column: Float[np.ndarray, " cell"]
    area: Float[np.ndarray, " cell"]
    perimeter: Float[np.ndarray, " cell"]
    major: Float[np.ndarray, " cell"]
    minor: Float[np.ndarray, " cell"]
    eccentricity: Float[np.ndarray, " cell"]
    solidity: Float[np.ndarray, " cell"]
    roundness: Float[np.ndarray, " cell"]


def shapes(labels: Int[np.ndarray, "row column"], spacing: tuple[float, float] = (1.0, 1.0)) -> Shapes:
    """The form of every object.

    Args:
        labels: 0 = none, else the number of the object.
        spacing: Length of a step along each axis.

    Source: moments of inertia with the share of each square point (1/12 of its side squared), as in Pratt WK, Digital
    Image Processing, section 18.3; solidity against the hull of the corners of the points.
    """
    ids, dense = numbered(labels)
    rows, columns = np.nonzero(dense)
    cell = dense[rows, columns] - 1
    count = np.bincount(cell, minlength=len(ids)).astype(np.float64)
    row, column = (np.bincount(cell, axis, len(ids)) / count for axis in (rows, columns))
    y, x = (rows - row[cell]) * spacing[0], (columns - column[cell]) * spacing[1]
    yy, xx, xy = (np.bincount(cell, product, len(ids)) / count for product in (y * y, x * x, x * y))
    yy, xx = yy + spacing[0] ** 2 / 12, xx + spacing[1] ** 2 / 12
    apart = np.sqrt((yy - xx) ** 2 + 4 * xy**2)
    large, small = (yy + xx + apart) / 2, np.maximum((yy + xx - apart) / 2, 0.0)
    point = spacing[0] * spacing[1]
    area, outline = count * point, perimeters(dense, len(ids), spacing)
    return Shapes(
        ids=ids,
        row=row,
        column=column,
        area=area,
        perimeter=outline,
        major=4 * np.sqrt(large),
        minor=4 * np.sqrt(small),
        eccentricity=np.sqrt(1 - small / large),
        solidity=np.minimum(count / _hulls(dense, len(ids)), 1.0),
        roundness=4 * np.pi * area / outline**2,
    )


def numbered(labels: Int[np.ndarray, "*grid"]) -> tuple[Int[np.ndarray, " cell"], Int[np.ndarray, "*grid"]]:
    """The numbers in use, ascending, and the same picture numbered 1, 2, ... without gaps."""
    used = np.unique(labels)
    ids = used[used != 0].astype(np.int64)
    dense = np.where(labels != 0, np.searchsorted(ids, labels) + 1, 0)
    return ids, dense.astype(np.int64)


def perimeters(
    dense: Int[np.ndarray, "row column"], cells: int, spacing: tuple[float, float] = (1.0, 1.0)
) -> Float[np.ndarray, " cell"]:
    """Length of each outline by Crofton's formula: how often lines in four directions cross it.

    Source: Crofton's formula in four directions, Lehmann G, Legland D. Insight Journal 2012; weights by the angle that
    each direction stands for.
    """
    padded = np.pad(dense, 1)
    steps = np.array(_DIRECTIONS, dtype=np.float64) * spacing
    between = spacing[0] * spacing[1] / np.linalg.norm(steps, axis=1)
    total = np.zeros(cells + 1)
    for direction, gap, share in zip(_DIRECTIONS, between, _shares(steps), strict=True):
        here, there = _pairs(padded, direction)
        crossed = here != there
        ends = np.bincount(here[crossed], minlength=cells + 1) + np.bincount(there[crossed], minlength=cells + 1)
        total += np.pi / 2 * share * gap * ends
    return total[1:]


def _shares(steps: Float[np.ndarray, "direction 2"]) -> Float[np.ndarray, " direction"]:
    """Share of all angles that lie nearest to each direction."""
    angle = np.arctan2(steps[:, 0], steps[:, 1]) % np.pi
    order = np.argsort(angle)
    gaps = np.diff(np.append(angle[order], angle[order[0]] + np.pi))
    shares = np.empty(len(angle))
    shares[order] = (gaps + np.roll(gaps, 1)) / 2 / np.pi
    return shares


def _pairs(
    grid: Int[np.ndarray, "row column"], step: tuple[int, int]
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Every point and the point one step on."""
    down, right = step
    height, width = grid.shape
    here = grid[: height - down, max(0, -right) : width - max(0, right)]
    there = grid[down:, max(0, right) : width + min(0, right)]
    return here.ravel(), there.ravel()


def _hulls(dense: Int[np.ndarray, "row column"], cells: int) -> Float[np.ndarray, " cell"]:
    """Area of the convex hull of each cell's points, in points."""
    areas = np.ones(cells)
    for number, place in enumerate(ndimage.find_objects(dense, cells)):
        rows, columns = np.nonzero(dense[place] == number + 1)
        # The outermost points of each row are all that can lie on the hull.
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        last = np.append(first[1:], len(rows)) - 1
        at = np.unique(np.concatenate([first, last]))
        corners = np.stack([rows[at], columns[at]], axis=1)[:, None] + np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        areas[number] = ConvexHull(corners.reshape(-1, 2)).volume
    return areas


@dataclass(frozen=True)
class Brightness:
    """The values within every object, and how they lie beside each other.

    Attributes:
        mean: Mean of each channel.
        spread: Standard deviation of each channel.
        contrast: Mean squared difference of grey levels of points side by side, 0 = smooth.
        homogeneity: Near 1 where points side by side are alike.
        entropy: Of the pairs of grey levels, in bits.
    """

    mean: Float[np.ndarray, "cell channel"]
    spread: Float[np.ndarray, "cell channel"]
    contrast: Float[np.ndarray, " cell"]
    homogeneity: Float[np.ndarray, " cell"]
    entropy: Float[np.ndarray, " cell"]


def brightness(labels: Int[np.ndarray, "row column"], values: Float[np.ndarray, "channel row column"]) -> Brightness:
    """Mean, spread and texture of the values within every object.

    Texture counts pairs of points side by side, in four directions and both ways, both within the object; grey levels
    divide the range of the picture's own mean channel evenly.

    Source: Haralick RM, Shanmugam K, Dinstein I. IEEE Transactions on Systems, Man, and Cybernetics 1973;3:610-621.
    """
    ids, dense = numbered(labels)
    cells = len(ids)
    flat = dense.ravel()
    count = np.bincount(flat, minlength=cells + 1)[1:].astype(np.float64)
    mean, spread = np.empty((cells, len(values))), np.empty((cells, len(values)))
    for number, channel in enumerate(values):
        seen = channel.ravel().astype(np.float64)
        mean[:, number] = np.bincount(flat, seen, cells + 1)[1:] / count
        off = (seen - np.append(0.0, mean[:, number])[flat]) ** 2
        spread[:, number] = np.sqrt(np.bincount(flat, off, cells + 1)[1:] / count)
    return Brightness(mean, spread, *_texture(dense, cells, values.mean(axis=0)))


def _texture(
    dense: Int[np.ndarray, "row column"], cells: int, grey: Float[np.ndarray, "row column"]
) -> tuple[Float[np.ndarray, " cell"], Float[np.ndarray, " cell"], Float[np.ndarray, " cell"]]:
    low, high = float(grey.min()), float(grey.max())
    level = ((grey - low) / max(high - low, 1e-12) * LEVELS).astype(np.int64).clip(0, LEVELS - 1)
    counts = np.zeros((cells + 1) * LEVELS**2)
    for step in _DIRECTIONS:
        here, there = _pairs(dense, step)
        first, second = _pairs(level, step)
        within = (here == there) & (here > 0)
        cell, first, second = here[within] * LEVELS**2, first[within], second[within]
        counts += np.bincount(cell + first * LEVELS + second, minlength=len(counts))
        counts += np.bincount(cell + second * LEVELS + first, minlength=len(counts))
    pairs = counts.reshape(cells + 1, LEVELS, LEVELS)[1:]
    share = pairs / np.maximum(pairs.sum(axis=(1, 2), keepdims=True), 1.0)
    apart = (np.arange(LEVELS)[:, None] - np.arange(LEVELS)) ** 2
    logs = np.log2(np.where(share > 0, share, 1.0))
    return (share * apart).sum((1, 2)), (share / (1 + apart)).sum((1, 2)), -(share * logs).sum((1, 2))


def neighbours(
    labels: Int[np.ndarray, "row column"], spacing: tuple[float, float] = (1.0, 1.0), reach: float = REACH
) -> tuple[Int[np.ndarray, " cell"], Float[np.ndarray, " cell"]]:
    """How many other cells have an outline within ``reach``; and the distance of the nearest centre, NaN where alone.

    Every cell grows by half of ``reach`` until it meets another; cells that meet are neighbours.
    """
    ids, dense = numbered(labels)
    near = _grown(dense, spacing, reach / 2)
    met = []
    for step in _DIRECTIONS[:2]:
        here, there = _pairs(near, step)
        apart = (here != there) & (here > 0) & (there > 0)
        met.append(np.sort(np.stack([here[apart], there[apart]], axis=1), axis=1))
    pairs = np.unique(np.concatenate(met), axis=0)
    number = np.bincount(pairs.ravel(), minlength=len(ids) + 1)[1:]
    if len(ids) < 2:
        return number, np.full(len(ids), np.nan)
    found = shapes_centres(dense, len(ids)) * spacing
    return number, np.asarray(cKDTree(found).query(found, k=2)[0][:, 1])


def shapes_centres(dense: Int[np.ndarray, "row column"], cells: int) -> Float[np.ndarray, "cell 2"]:
    """Centre of each cell, in points."""
    rows, columns = np.nonzero(dense)
    cell = dense[rows, columns] - 1
    count = np.bincount(cell, minlength=cells)
    return np.stack([np.bincount(cell, axis, cells) / count for axis in (rows, columns)], axis=1)


def _grown(
    dense: Int[np.ndarray, "row column"], spacing: tuple[float, float], by: float
) -> Int[np.ndarray, "row column"]:
    """Points near a cell, each with the number of the nearest one."""
    if not dense.any():
        return dense
    away, at = ndimage.distance_transform_edt(dense == 0, sampling=spacing, return_indices=True)
    return np.where(away <= by, dense[tuple(at)], 0)


def table(
    labels: Int[np.ndarray, "row column"],
    values: Float[np.ndarray, "channel row column"] | None = None,
    spacing: tuple[float, float] | None = None,
    unit: str = "px",
) -> pl.DataFrame:
    """One row per cell; columns say their unit.

    Args:
        labels: 0 = none, else the number of the cell.
        values: The picture, for brightness and texture.
        spacing: Length of a step along each axis in ``unit``; None = one point, "px".
        unit: "um" or "px".
    """
    step, unit = ((1.0, 1.0), "px") if spacing is None else (spacing, unit)
    form = shapes(labels, step)
    near, nearest = neighbours(labels, step)
    columns: dict[str, np.ndarray] = {
        "cell": form.ids,
        "row_px": form.row,
        "column_px": form.column,
        f"area_{unit}2": form.area,
        f"perimeter_{unit}": form.perimeter,
        f"length_{unit}": form.major,
        f"width_{unit}": form.minor,
        "eccentricity": form.eccentricity,
        "solidity": form.solidity,
        "roundness": form.roundness,
        f"neighbours_within_{REACH:g}_{unit}": near,
        f"nearest_centre_{unit}": nearest,
    }
    if values is not None:
        columns |= _brightness_columns(brightness(labels, values))
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _brightness_columns(found: Brightness) -> dict[str, np.ndarray]:
    channels = found.mean.shape[1]
    names = {1: ("",), 3: ("_red", "_green", "_blue")}.get(channels, tuple(f"_{n + 1}" for n in range(channels)))
    columns = {f"intensity_mean{name}": found.mean[:, k] for k, name in enumerate(names)}
    columns |= {f"intensity_sd{name}": found.spread[:, k] for k, name in enumerate(names)}
    texture = {"contrast": found.contrast, "homogeneity": found.homogeneity, "entropy": found.entropy}
    return columns | {f"texture_{name}": value for name, value in texture.items()}
