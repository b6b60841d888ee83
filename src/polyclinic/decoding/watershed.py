"""Cells that touch told apart: seeds where a map has its peaks, flooded until they meet. numpy and scipy only."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

STEP = 0.1
"""Distance of the levels at which a seed may split."""
LARGER = (1.0, 1.5, 2.0, 2.5, 3.0)
"""How many times larger than half of the first centile of true cells the smallest cell may be; chosen by results."""
_PEAK = 0.95  # no level above it is tried; a round number
_SMALLEST_SEED = 3  # points; a smaller peak is noise. A round number
_BESIDE = (
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
)
_ALL_ROUND = np.ones((3, 3), dtype=bool)


def relative_distance(labels: Int[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    """Distance of each point of a cell to the nearest point outside it, 1 in its middle; 0 where no cell is.

    The rim of the picture is no outline: a cell that goes on beyond it is not taken to end there.
    """
    distance = np.zeros(labels.shape, dtype=np.float32)
    places = ndimage.find_objects(labels)
    for number, place in enumerate(places, 1):
        if place is None:
            continue
        wide = tuple(
            slice(max(0, side.start - 1), min(length, side.stop + 1))
            for side, length in zip(place, labels.shape, strict=True)
        )
        mine = labels[wide] == number
        if mine.all():
            distance[wide] = 1.0
            continue
        away = ndimage.distance_transform_edt(mine)
        distance[wide][mine] = (away / away.max())[mine]
    return distance


def lesson(
    labels: Int[np.ndarray, "row column"],
) -> tuple[UInt8[np.ndarray, "2 row column"], Float[np.ndarray, "cell 2"]]:
    """What a network is to say of these cells, foreground and height in 255ths; and where the middle of each is."""
    ordered = in_order(labels)
    maps = np.stack([ordered > 0, relative_distance(ordered)])
    rows, columns = np.nonzero(ordered)
    cell = ordered[rows, columns] - 1
    count = np.bincount(cell)
    centres = np.stack([np.bincount(cell, axis) / count for axis in (rows, columns)], axis=1)
    return (255 * maps).round().astype(np.uint8), centres


def find_seeds(
    heights: Float[np.ndarray, "row column"],
    inside: Bool[np.ndarray, "row column"],
    level: float,
    depth: float = STEP,
    smallest: int = _SMALLEST_SEED,
) -> Int[np.ndarray, "row column"]:
    """One seed for every peak; 0 elsewhere.

    Parts above ``level`` are seeds; where one falls apart at a higher level into several parts, each of which rises by
    ``depth`` more, these take its place.

    Args:
        heights: From 0 to 1, high in the middle of cells.
        inside: Where cells are at all.
        level: From which height on a seed may lie.
        depth: How far a peak must rise above the saddle between it and the next.
        smallest: Points of the smallest part that counts.
    """
    within = np.where(inside, heights, 0.0)
    seeds = _parts(within, level, level, smallest)
    for higher in np.arange(level + STEP, _PEAK, STEP):
        parts = _parts(within, higher, min(higher + depth, _PEAK), smallest)
        if not parts.any():
            break
        parents = highest(seeds, parts)
        split = np.flatnonzero(np.bincount(parents)[1:] > 1) + 1
        chosen = np.isin(parents, split)
        if not chosen.any():
            continue
        seeds[np.isin(seeds, split)] = 0
        taken = np.flatnonzero(chosen) + 1
        new = np.zeros(len(parents) + 1, dtype=seeds.dtype)
        new[taken] = int(seeds.max(initial=0)) + 1 + np.arange(len(taken))
        seeds = np.where(new[parts] > 0, new[parts], seeds)
        seeds = _those(np.bincount(seeds.ravel()) > 0, seeds)
    return seeds


def _parts(
    heights: Float[np.ndarray, "row column"], level: float, peak: float, smallest: int
) -> Int[np.ndarray, "row column"]:
    """Connected parts above ``level`` that reach ``peak`` and are large enough, numbered from 1."""
    parts, number = ndimage.label(heights >= level)
    if not number:
        return np.asarray(parts, dtype=np.int64)
    size = np.bincount(parts.ravel(), minlength=number + 1)
    top = np.append(0.0, highest(heights, parts))
    return _those((size >= smallest) & (top >= peak), parts)


def highest(
    values: Shaped[np.ndarray, "row column"], labels: Int[np.ndarray, "row column"]
) -> Shaped[np.ndarray, " cell"]:
    """The largest value within each cell. Much faster than sorting the picture, as scipy does."""
    inside = labels > 0
    top = np.zeros(int(labels.max(initial=0)) + 1, dtype=values.dtype)
    np.maximum.at(top, labels[inside], values[inside])
    return top[1:]


def _those(kept: Bool[np.ndarray, " label"], labels: Int[np.ndarray, "row column"]) -> Int[np.ndarray, "row column"]:
    """Labels that are kept, numbered from 1 without gaps."""
    kept[0] = False
    return np.asarray((np.cumsum(kept) * kept)[labels], dtype=np.int64)


def flood(
    heights: Float[np.ndarray, "row column"],
    seeds: Int[np.ndarray, "row column"],
    inside: Bool[np.ndarray, "row column"],
) -> Int[np.ndarray, "row column"]:
    """Cells around their seeds: a point goes to the seed that it reaches without dipping lower than it must.

    A part of ``inside`` without a seed becomes a cell of its own. Cells are numbered from 1 in the order in which they
    first come, row by row.

    Source: watersheds as a spanning forest of least weight, rooted in the seeds, Cousty J, Bertrand G, Najman L,
    Couprie M. IEEE Transactions on Pattern Analysis and Machine Intelligence 2009;31:1362-1374.
    """
    points = int(inside.sum())
    if not points:
        return np.zeros(inside.shape, dtype=np.int32)
    number = np.where(inside, np.cumsum(inside.ravel()).reshape(inside.shape), 0)
    # Among equally high ways the shorter one: else a plateau would go to whoever comes first.
    away = ndimage.distance_transform_edt(seeds == 0) if seeds.any() else np.zeros(inside.shape)
    cost = (2.0 - heights.clip(0, 1)) + 1e-4 * away / max(1.0, float(away.max()))
    ends, weights = [], []
    for here, there in (
        ((slice(None, -1),), (slice(1, None),)),
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ):
        both = inside[here] & inside[there]
        ends.append(np.stack([number[here][both], number[there][both]]))
        weights.append(np.maximum(cost[here], cost[there])[both])
    rooted = number[(seeds > 0) & inside]
    ends.append(np.stack([np.zeros_like(rooted), rooted]))
    weights.append(np.full(len(rooted), 1e-6))  # the root of all seeds, dearer than nothing: 0 would be no edge
    edges = np.concatenate(ends, axis=1)
    graph = coo_array((np.concatenate(weights), (edges[0], edges[1])), shape=(points + 1, points + 1))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    grown = (tree.row > 0) & (tree.col > 0)
    forest = coo_array((tree.data[grown], (tree.row[grown], tree.col[grown])), shape=tree.shape)
    part = connected_components(forest, directed=False)[1][1:]
    seed = seeds[inside]
    owner = np.zeros(int(part.max()) + 1, dtype=np.int64)
    owner[part[seed > 0]] = seed[seed > 0]
    alone = owner == 0
    owner[alone] = int(seeds.max(initial=0)) + 1 + np.arange(int(alone.sum()))
    labels = np.zeros(inside.shape, dtype=np.int64)
    labels[inside] = owner[part]
    return in_order(labels)


def in_order(labels: Int[np.ndarray, "row column"]) -> Int[np.ndarray, "row column"]:
    """The same cells numbered from 1 in the order in which they first come, row by row."""
    used, first = np.unique(labels, return_index=True)
    keep = used != 0
    used = used[keep][np.argsort(first[keep])]
    numbers = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    numbers[used] = np.arange(1, len(used) + 1)
    return np.asarray(numbers[labels])


def tidy(labels: Int[np.ndarray, "row column"], smallest: float) -> Int[np.ndarray, "row column"]:
    """Cells in one piece each, their holes filled, those of fewer than ``smallest`` points left out."""
    whole = np.zeros(labels.shape, dtype=np.int32)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        if place is None:
            continue
        pieces, count = ndimage.label(labels[place] == number, _ALL_ROUND)
        if count > 1:
            pieces = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
        mine = ndimage.binary_fill_holes(pieces > 0)
        if mine.sum() >= smallest:
            free = mine & ((labels[place] == number) | (labels[place] == 0))
            whole[place][free] = number
    return in_order(whole)


def tell_apart(
    foreground: Float[np.ndarray, "row column"],
    heights: Float[np.ndarray, "row column"],
    threshold: float,
    level: float,
    smallest: float,
) -> Int[np.ndarray, "row column"]:
    """Cells from the chance that a point belongs to one and from how near it is to its middle.

    Args:
        foreground: From 0 to 1.
        heights: From 0 to 1.
        threshold: From which chance a point belongs to a cell.
        level: From which height a seed may lie.
        smallest: Points of the smallest cell.
    """
    inside = foreground >= threshold
    smooth = ndimage.gaussian_filter(heights, 1.0)
    return tidy(flood(smooth, find_seeds(smooth, inside, level), inside), smallest)
