"""Boxes brought from the file to a network's grid, from there into a view, and back."""

import numpy as np
from jaxtyping import Float

from polyclinic.geometry import Lattice

_LEAST_SHARE = 0.3
"""Least share of a box that a view must show for the object to be looked for there."""


def on_grid(boxes: Float[np.ndarray, "object part"], place: Lattice) -> Float[np.ndarray, "object part"]:
    """Class and corners in the file, on the network's grid. A point reaches from its number to the next."""
    turn = np.linalg.inv(place.to_source[:, :-1])
    offset = 0.5 - turn @ (place.to_source[:, -1] + 0.5)
    return np.concatenate([boxes[:, :1], moved(boxes[:, 1:].astype(np.float64), turn, offset)], axis=1)


def in_file(boxes: Float[np.ndarray, "box corner"], place: Lattice) -> Float[np.ndarray, "box corner"]:
    """Corners on the network's grid in pixels of the file, within it."""
    turn, offset = place.to_source[:, :-1], place.to_source[:, -1]
    whole = moved(boxes, turn, offset + 0.5 - turn @ np.full(len(offset), 0.5))
    return np.asarray(np.clip(whole, 0, np.tile(np.array(place.source.shape, dtype=np.float64), 2)))


def in_view(
    boxes: Float[np.ndarray, "object part"],
    start: Float[np.ndarray, " dim"],
    cut: tuple[int, ...],
    affine: Float[np.ndarray, "dim dim_plus_one"] | None,
    size: tuple[int, ...],
) -> Float[np.ndarray, "seen part"]:
    """Class and corners on a record's grid, in one view of it: cut at its rim, left out where hardly seen.

    Args:
        boxes: On the record's grid.
        start: First point of the cut.
        cut: Its extent.
        affine: From the view to the cut, both in [-1, 1], last axis first; None = not moved.
        size: Extent of the view; empty = the record as it is.
    """
    dim = len(start)
    corners = boxes[:, 1:] - np.tile(start.astype(np.float64), 2)
    if affine is not None:
        corners = moved(corners, *_from_cut(affine.astype(np.float64), cut, size))
    if not size:
        return np.concatenate([boxes[:, :1], corners], axis=1)
    inside = np.clip(corners, 0, np.tile(np.array(size, dtype=np.float64), 2))
    sides, whole = (np.clip(one[:, dim:] - one[:, :dim], 0, None) for one in (inside, corners))
    seen = (sides.prod(axis=1) >= _LEAST_SHARE * whole.prod(axis=1)) & (sides > 0).all(axis=1)
    held: Float[np.ndarray, "seen part"] = np.concatenate([boxes[:, :1], inside], axis=1)[seen]
    return held


def _from_cut(
    affine: Float[np.ndarray, "dim dim_plus_one"], cut: tuple[int, ...], size: tuple[int, ...]
) -> tuple[Float[np.ndarray, "dim dim"], Float[np.ndarray, " dim"]]:
    """The map from points of the cut to points of the view; ``affine`` goes the other way, last axis first.

    From points to [-1, 1] in the cut, from there to [-1, 1] in the view, and to points.
    """
    ordered = affine[::-1]
    back, shift = np.linalg.inv(ordered[:, :-1][:, ::-1]), ordered[:, -1]
    before, after = np.array(cut, dtype=np.float64), np.array(size, dtype=np.float64)
    turn = back * (2 / before)[None] * (after / 2)[:, None]
    return np.asarray(turn), np.asarray((back @ (-1 - shift) + 1) * after / 2)


def moved(
    boxes: Float[np.ndarray, "box corner"], turn: Float[np.ndarray, "dim dim"], offset: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "box corner"]:
    """Boxes after an affine map of the space: the hull of the ellipse that fills the box.

    Exact where axes are scaled, mirrored or swapped. Where the map tilts, the hull of the box itself would grow by up
    to two fifths although the object does not; what is looked for in medicine is round rather than square.
    """
    dim = len(offset)
    centre = (boxes[:, :dim] + boxes[:, dim:]) / 2 @ turn.T + offset
    half = np.sqrt(((boxes[:, dim:] - boxes[:, :dim]) / 2) ** 2 @ (turn**2).T)
    return np.concatenate([centre - half, centre + half], axis=1)
