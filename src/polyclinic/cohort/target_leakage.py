"""How well one column alone tells the outcome: a column that tells all is usually the outcome in disguise."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from scipy.stats import rankdata

MOST_CLASSES = 20
"""Distinct numbers beyond which an outcome is a measurement: the same as in drafts."""

_MOST_CODES = 50
"""Distinct values up to which a column of numbers may be a code, each of which may stand for a class."""

_FEWEST_KNOWN = 0.2
"""A column that is known for fewer rows cannot stand for the outcome of all."""

_GLANCE = 1000
"""Rows that are looked at to see whether a column may be a code. A round number."""


_FAR_FROM_ALL = 0.9
"""An area below which a column is no suspect, whatever its other pairs of classes say."""

_MOST_CELLS = 10**7
"""Cells of a table of values and classes: 80 MB, which only identifiers exceed."""


@dataclass(frozen=True)
class Classes:
    """An outcome of a few values: number of the class by row, -1 where not known."""

    code: Int[np.ndarray, " row"]


@dataclass(frozen=True)
class Values:
    """An outcome of many values: NaN where not known."""

    value: Float[np.ndarray, " row"]


def as_outcome(column: pl.Series) -> Classes | Values:
    """An outcome column as classes if it has a few values or is text, else as numbers."""
    if _is_measured(column) and column.drop_nulls().n_unique() > MOST_CLASSES:
        return Values(_numbers(column))
    return Classes(_codes(column))


def strength(column: pl.Series, outcome: Classes | Values, fewest: int) -> float:
    """How well the column alone tells the outcome, between 0 and 1; 0 where there are too few rows to say.

    For classes the best of three: the area under the ROC curve in either direction, the worst over all pairs of
    classes; the share of each class that is told rightly from the other rows with the same value (so that an
    identifier tells nothing); and the same from whether the cell is empty. For numbers Spearman's rank correlation
    without its sign.

    Args:
        column: One candidate, rows as in ``outcome``.
        outcome: What it may tell.
        fewest: Rows that each class (or the whole, for numbers) needs.
    """
    if isinstance(outcome, Values):
        return _rank_correlation(_numbers(column), outcome.value, fewest) if _is_measured(column) else 0.0
    known = outcome.code >= 0
    code = outcome.code[known]
    if not _enough(code, fewest):
        return 0.0
    cells = column if known.all() else column.filter(pl.Series(known))
    best = _majority_share(cells.is_null().to_numpy().astype(np.int64), code) if cells.null_count() else 0.0
    if not _is_measured(cells):
        return max(best, _majority_share(_codes(cells) + 1, code))
    values = _numbers(cells)
    best = max(best, _pairwise_area(values, code, fewest))
    if len(np.unique(values[:_GLANCE])) > _MOST_CODES:
        return best
    return max(best, _majority_share(_codes(cells) + 1, code))


def _is_measured(column: pl.Series) -> bool:
    return column.dtype.is_numeric() or column.dtype.is_temporal()


def _numbers(column: pl.Series) -> Float[np.ndarray, " row"]:
    physical = column.to_physical() if column.dtype.is_temporal() else column
    values = physical.to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _codes(column: pl.Series) -> Int[np.ndarray, " row"]:
    """Number of the value of each row, -1 where missing."""
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return np.full(len(column), -1, dtype=np.int64)
    rank = column.rank("dense").cast(pl.Int64).fill_null(0) - 1
    return rank.to_numpy().astype(np.int64)


def _enough(code: Int[np.ndarray, " row"], fewest: int) -> bool:
    size = np.bincount(code)
    return int((size > 0).sum()) >= 2 and int(size[size > 0].min()) >= fewest


def _pairwise_area(value: Float[np.ndarray, " row"], code: Int[np.ndarray, " row"], fewest: int) -> float:
    """The smallest area under the ROC curve over all pairs of classes, each in its better direction."""
    known = ~np.isnan(value)
    if known.mean() < _FEWEST_KNOWN or not _enough(code[known], fewest):
        return 0.0
    if len(np.unique(code[known])) < len(np.unique(code)):
        return 0.0
    value, code = value[known], code[known]
    present = np.unique(code)
    smallest = 1.0
    for number, one in enumerate(present):
        for other in present[number + 1 :]:
            pair = (code == one) | (code == other)
            smallest = min(smallest, _area(value[pair], code[pair] == other))
            if smallest < _FAR_FROM_ALL:  # far from telling all: the other pairs need no look
                return smallest
    return smallest


def _area(value: Float[np.ndarray, " row"], positive: Bool[np.ndarray, " row"]) -> float:
    """Area under the ROC curve, in the better direction. Source: Hanley & McNeil, Radiology 1982 (rank sum)."""
    many = int(positive.sum())
    above = float(rankdata(value)[positive].sum()) - many * (many + 1) / 2
    area = above / (many * (len(value) - many))
    return max(area, 1 - area)


def _majority_share(value: Int[np.ndarray, " row"], code: Int[np.ndarray, " row"]) -> float:
    """Mean over classes of the share of rows whose class leads among the other rows of the same value."""
    size = np.bincount(code)
    values = int(value.max()) + 1
    if values * len(size) > _MOST_CELLS or values * 2 > len(value):
        return 0.0
    table = np.bincount(value * len(size) + code, minlength=values * len(size)).reshape(values, len(size))
    first = table.max(axis=1)
    leads = table == first[:, None]
    runner_up = np.where(leads.sum(axis=1) > 1, first, np.where(leads, -1, table).max(axis=1))
    right = np.where(leads & (table - 1 > runner_up[:, None]), table, 0).sum(axis=0)
    present = size > 0
    return float((right[present] / size[present]).mean())


def _rank_correlation(one: Float[np.ndarray, " row"], other: Float[np.ndarray, " row"], fewest: int) -> float:
    """Spearman's rank correlation without its sign, over the rows where both are known."""
    known = ~np.isnan(one) & ~np.isnan(other)
    if known.sum() < max(fewest, _FEWEST_KNOWN * len(one)):
        return 0.0
    a, b = rankdata(one[known]), rankdata(other[known])
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return abs(float(np.corrcoef(a, b)[0, 1]))
