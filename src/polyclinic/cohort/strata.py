"""Subgroups of a column: its own values, or bands of a number."""

import numpy as np
import polars as pl
from jaxtyping import Shaped

from polyclinic.formats.columns.column_types import MOST_GROUPS, as_words


def stratum(column: pl.Series) -> Shaped[np.ndarray, " row"]:
    """Subgroup of each row as text; "" where not known.

    A number with many values, such as an age, is cut at its thirds into bands named by their limits, such as
    "up to 51", "51 to 63" (above 51, up to 63) and "above 63".
    """
    if column.dtype.is_numeric() and column.n_unique() > MOST_GROUPS:
        return _bands(column)
    return as_words(column)


def _bands(column: pl.Series) -> Shaped[np.ndarray, " row"]:
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    low, high = np.nanquantile(values, [1 / 3, 2 / 3], method="lower")
    names = np.array([f"up to {low:g}", f"{low:g} to {high:g}", f"above {high:g}"])
    band = (values > low).astype(int) + (values > high).astype(int)
    return np.where(np.isnan(values), "", names[band])
