"""Whether a value is missing more often with one outcome than with another."""

import numpy as np
import polars as pl
from jaxtyping import Int
from scipy.stats import chi2

_LEVEL = 0.01
"""Level of significance, divided by the number of columns that are looked at (Bonferroni)."""

_LEAST_GAP = 0.1
"""A smaller difference in shares is significant in a large table, and matters to nobody."""

_FEWEST_OF_CLASS = 10
"""The chi-squared distribution holds from about this many rows of a class on."""


def missing_by_outcome(frame: pl.DataFrame, code: Int[np.ndarray, " row"]) -> list[tuple[str, float, float]]:
    """Columns whose share of missing cells differs between classes: name, smallest and largest share.

    A column is named if the shares differ by 10 points or more, and more than chance explains: Pearson's chi-squared
    test at a level of 1 % divided by the number of columns (Bonferroni). Classes below 10 rows are left aside.

    Args:
        frame: The columns.
        code: Class of each row, -1 where not known.
    """
    size = np.bincount(code[code >= 0])
    large = np.flatnonzero(size >= _FEWEST_OF_CLASS)
    if not frame.width or len(large) < 2:
        return []
    empty = [column.is_null().to_numpy() & (code >= 0) for column in frame]
    missing = np.stack([np.bincount(code[rows], minlength=len(size))[large] for rows in empty])
    share = missing / size[large]
    low, high = share.min(axis=1), share.max(axis=1)
    whole = missing.sum(axis=1) / size[large].sum()
    spread = np.maximum(whole * (1 - whole), 1e-12)
    statistic = (size[large] * (share - whole[:, None]) ** 2).sum(axis=1) / spread
    unlikely = chi2.sf(statistic, len(large) - 1) < _LEVEL / max(1, frame.width)
    named = np.flatnonzero(unlikely & (high - low >= _LEAST_GAP))
    return [(frame.columns[i], float(low[i]), float(high[i])) for i in named]
