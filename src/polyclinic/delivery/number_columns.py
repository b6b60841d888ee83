"""Numbers as columns of the table of new patients: empty where not known, counts as whole numbers, with intervals."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float


def known(values: Float[np.ndarray, " sample"]) -> pl.Series:
    """Numbers as a column, empty where not known or without a bound."""
    return pl.Series(np.where(np.isfinite(values), values, np.nan), dtype=pl.Float64).fill_nan(None)


def counts(values: Sequence[float] | Float[np.ndarray, " sample"]) -> pl.Series:
    """Whole numbers as a column, empty where not known."""
    return known(np.asarray(values, dtype=np.float64)).cast(pl.Int64)


def with_interval(name: str, values: Float[np.ndarray, " sample"], half: float) -> dict[str, pl.Series]:
    """Sizes, and as far as ``half`` below and above them; a size is never below 0."""
    low = np.maximum(values - half, 0.0) if np.isfinite(half) else np.full(len(values), np.nan)
    return {name: known(values), f"{name}_low": known(low), f"{name}_high": known(values + half)}


def counted(name: str, values: Float[np.ndarray, " sample"], half: float) -> dict[str, pl.Series]:
    """The same for whole numbers."""
    return {key: column.cast(pl.Int64) for key, column in with_interval(name, values, half).items()}
