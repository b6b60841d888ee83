"""Packed answers once more as JSON, for programs that know nothing of this package: pandas, R, a browser.

A region is written as run lengths, in the uncompressed form of COCO: ``size`` is the shape of the grid, ``counts`` are
the lengths of the runs of points outside and inside, in turn and outside first, with the first axis running fastest.
A scan has three axes and is written the same way. Sources: Lin TY et al. ECCV 2014, and the mask API of COCO.
"""

import json
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from jaxtyping import Int, Shaped

MOST_RUNS = 20_000
"""Runs of one record beyond which it has no JSON, only the packed array: about 100 kB of text; a round number."""

Entry = dict[str, object]


def json_column(entries: Iterable[Sequence[Entry] | None]) -> pl.Series:
    """A list as JSON for each sample, empty where nothing is known."""
    cells = [None if one is None else json.dumps(one, ensure_ascii=False) for one in entries]
    return pl.Series(cells, dtype=pl.String)


def run_lengths(labels: Int[np.ndarray, "*grid"]) -> dict[int, list[int]]:
    """The runs of every number above 0 on a grid, by the number.

    Example:
        >>> run_lengths(np.array([[0, 2], [0, 2], [7, 0]]))
        {2: [3, 2, 1], 7: [2, 1, 3]}
    """
    flat = labels.ravel(order="F")
    starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] - 1)) if flat.size else np.zeros(0, dtype=int)
    ends = np.append(starts[1:], flat.size)
    return {
        int(number): _counts(starts[flat[starts] == number], ends[flat[starts] == number], flat.size)
        for number in np.unique(flat[starts])
        if number > 0
    }


def too_many(regions: Iterable[Sequence[int]]) -> bool:
    """Whether the runs of a record are more than a table should hold."""
    return sum(map(len, regions)) > MOST_RUNS


def shape_of(grid: Shaped[np.ndarray, "*grid"]) -> list[int]:
    """The shape of a grid, as ``size`` says it."""
    return [int(side) for side in grid.shape]


def _counts(starts: Int[np.ndarray, " run"], ends: Int[np.ndarray, " run"], points: int) -> list[int]:
    """Lengths of the runs outside and inside, from where the ones inside begin and end."""
    edges = np.stack([starts, ends], axis=1).ravel()
    return [int(length) for length in np.diff(edges, prepend=0, append=points)]
