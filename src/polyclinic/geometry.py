"""Where things are in a record: the grid of a scan, the string of a text, and the way from a network's grid to them.

A dense question (where is the lesion, which words are a disease) is asked on the network's own grid and must be
answered in the file that the user gave. A ``Lattice`` or ``Tokens`` is that way back. numpy and scipy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy import ndimage

_SLAB = 1 << 24
"""Points that are computed together on the way back to the file: bounds the memory."""


Matrix = Float[np.ndarray, "dim dim_plus_one"]
"""An index on one grid -> an index on another, with the offset in the last column."""


@dataclass(frozen=True)
class GridGeometry:
    """The grid of a picture or a scan as the user gave it.

    Attributes:
        shape: Height and width; or the three axes of the array as its reader gives it.
        affine: Array index (i, j, k, 1) -> patient in mm, RAS+ as in NIfTI; None where not known.
        spacing: Length of one step along each axis; None where not known.
        unit: Of the spacing: "mm", "um", or "px" where it is not known.
    """

    shape: tuple[int, ...]
    affine: Float[np.ndarray, "4 4"] | None = None
    spacing: tuple[float, ...] | None = None
    unit: str = "px"


@dataclass(frozen=True)
class TextGeometry:
    """A text as the user gave it; offsets are positions in it, counted in code points."""

    text: str


@dataclass(frozen=True)
class Lattice:
    """A network's grid of one record, and where its points lie in the file.

    Attributes:
        shape: Points along each axis.
        source: The file's own grid.
        to_source: Index on this grid -> index in the file's array, as a matrix with an offset in its last column.
        spacing: Length of one step on this grid, in the unit of ``source``; None where not known.
    """

    shape: tuple[int, ...]
    source: GridGeometry
    to_source: Matrix
    spacing: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Tokens:
    """A network's grid of one text: its tokens.

    Attributes:
        source: The text.
        offsets: First position of each token in the text, and the position after its last.
    """

    source: TextGeometry
    offsets: Int[np.ndarray, "token 2"]


Geometry = GridGeometry | TextGeometry
Values = Shaped[np.ndarray, "..."]
Ground = Literal["picture", "volume", "text"]
Place = Lattice | Tokens


@dataclass(frozen=True)
class GridKnown:
    """What is to be found in a synthetic picture or scan.

    Attributes:
        geometry: Its grid.
        objects: 0 where nothing is, else the number of the object, from 1, in the file's own geometry.
    """

    geometry: GridGeometry
    objects: Int[np.ndarray, "*grid"]


@dataclass(frozen=True)
class TextKnown:
    """What is to be found in a synthetic text: the spans, each with a label."""

    geometry: TextGeometry
    spans: tuple[tuple[int, int, str], ...]


Known = GridKnown | TextKnown


@dataclass(frozen=True)
class Marks:
    """What an answer and the truth point at in one record, for a picture of it: one class for each sort of mark.

    Attributes:
        names: Names that the arrays count.
        truth: What is there, None where not known, in the geometry of the file.
        predicted: What the model points at, likewise.
    """

    names: tuple[str, ...]
    truth: Shaped[np.ndarray, "..."] | None
    predicted: Shaped[np.ndarray, "..."] | None

    def planes(self, array: Shaped[np.ndarray, "..."]) -> list[Shaped[np.ndarray, "*grid"]]:
        """What truth or answer show as grids of labels, 0 = nothing, in the order of the names; none by default."""
        return []

    def boxes(self, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "box side"]:
        """What they show as boxes: number of the name, low corner, high corner; none by default."""
        return np.zeros((0, 1))


class RegionMarks(Marks):
    """Regions: truth and answer are 0 or 1, "region *grid"."""

    def planes(self, array: Shaped[np.ndarray, " region *grid"]) -> list[Shaped[np.ndarray, "*grid"]]:
        """One for each region."""
        return list(array)


class ObjectMarks(Marks):
    """Single objects of one name: truth and answer are numbers of objects, "*grid", 0 = none."""

    def planes(self, array: Shaped[np.ndarray, "*grid"]) -> list[Shaped[np.ndarray, "*grid"]]:
        """The one of all objects."""
        return [array]


class BoxMarks(Marks):
    """Boxes: truth and answer are "box 1+2*dim": name, low corner, high corner in pixels along the array's axes."""

    def boxes(self, array: Shaped[np.ndarray, "box side"]) -> Shaped[np.ndarray, "box side"]:
        """All of them."""
        return array


class SpanMarks(Marks):
    """Spans of a text: truth and answer are "span 3": start, end, name."""


def identity(geometry: GridGeometry) -> Lattice:
    """The file's own grid as the network's."""
    dim = len(geometry.shape)
    return Lattice(geometry.shape, geometry, np.eye(dim, dim + 1), geometry.spacing)


def to_working(values: Shaped[np.ndarray, "*file"], lattice: Lattice, order: int = 0) -> Shaped[np.ndarray, "*grid"]:
    """An array in the file's geometry on the network's grid; 0 outside the file.

    Args:
        values: One number per point of the file.
        lattice: The network's grid.
        order: 0 = nearest point, for labels; 1 = linear.
    """
    plain = _turned(values, lattice.to_source, lattice.shape)
    if plain is not None:
        return plain
    return _resampled(values, lattice.to_source, lattice.shape, order)


def to_file(values: Shaped[np.ndarray, "*grid"], lattice: Lattice, order: int = 1) -> Shaped[np.ndarray, "*file"]:
    """An array on the network's grid in the geometry of the file; points beyond the grid take its nearest value."""
    back = _inverse(lattice.to_source)
    plain = _turned(values, back, lattice.source.shape)
    return _resampled(values, back, lattice.source.shape, order, mode="nearest") if plain is None else plain


def points_in_working(points: Float[np.ndarray, "point dim"], lattice: Lattice) -> Float[np.ndarray, "point dim"]:
    """Points of the file's array on the network's grid."""
    back = _inverse(lattice.to_source)
    moved: Float[np.ndarray, "point dim"] = points @ back[:, :-1].T + back[:, -1]
    return moved


def overlap(
    start: Sequence[int], size: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """What a box from ``start`` on shares with a grid of ``shape``: in points of the box, and of the grid."""
    here, there = [], []
    for first, length, side in zip(start, size, shape, strict=True):
        low, high = max(0, first), min(side, first + length)
        there.append(slice(low, max(low, high)))
        here.append(slice(low - first, max(low, high) - first))
    return tuple(here), tuple(there)


def _inverse(affine: Matrix) -> Matrix:
    turn = np.linalg.inv(affine[:, :-1])
    return np.concatenate([turn, -(turn @ affine[:, -1])[:, None]], axis=1)


def _turned(values: Values, to_values: Matrix, shape: tuple[int, ...]) -> Values | None:
    """The array with axes swapped and mirrored, where that is all the map does; else None. Nothing is interpolated."""
    turn, offset = to_values[:, :-1], to_values[:, -1]
    whole = np.rint(turn)
    if not np.allclose(turn, whole, atol=1e-6) or not np.allclose(offset, np.rint(offset), atol=1e-4):
        return None
    if not ((np.abs(whole).sum(axis=0) == 1).all() and (np.abs(whole).sum(axis=1) == 1).all()):
        return None
    axes = np.abs(whole).argmax(axis=0)  # for each axis of the result, the axis of the array
    signs = whole[axes, np.arange(len(axes))]
    starts = [(n - 1 if sign < 0 else 0) for n, sign in zip(np.array(values.shape)[axes], signs, strict=True)]
    exact = tuple(np.array(values.shape)[axes]) == tuple(shape) and np.allclose(offset[axes], starts, atol=1e-4)
    if not exact:
        return None
    steps = tuple(slice(None, None, -1 if sign < 0 else 1) for sign in signs)
    turned: Shaped[np.ndarray, ...] = values.transpose(axes)[steps]
    return turned


def _resampled(values: Values, to_values: Matrix, shape: tuple[int, ...], order: int, mode: str = "constant") -> Values:
    """Slab by slab along the first axis, so that no array of coordinates or of doubles is ever as large as the scan."""
    turn, offset = to_values[:, :-1], to_values[:, -1]
    result = np.empty(shape, dtype=values.dtype)
    rows = max(1, _SLAB // max(1, int(np.prod(shape[1:]))))
    for first in range(0, shape[0], rows):
        slab = result[first : first + rows]
        ndimage.affine_transform(
            values,
            turn,
            offset=offset + turn[:, 0] * first,
            output_shape=slab.shape,
            output=slab,
            order=order,
            mode=mode,
        )
    return result
