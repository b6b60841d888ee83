"""Reading an outcome column: cells to numbers, to yes or no, or to the names of classes, with the rows that are wrong.

Absent cells stay absent. Text is trimmed. No cell's content ever reaches a message.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.errors import Finding
from polyclinic.study.catalogue import unknown

_YES_NO = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "0.0": 0.0, "1.0": 1.0}


@dataclass(frozen=True)
class Numbers:
    """A column as numbers.

    Attributes:
        value: NaN where absent or wrong.
        wrong: True where a cell holds something else.
    """

    value: Float[np.ndarray, " sample"]
    wrong: Bool[np.ndarray, " sample"]

    @property
    def known(self) -> Bool[np.ndarray, " sample"]:
        """True where there is a number."""
        known: Bool[np.ndarray, " sample"] = ~np.isnan(self.value)
        return known


def absent_columns(frame: pl.DataFrame, columns: Sequence[str], place: str, table: str) -> list[Finding]:
    """One finding for each of ``columns`` that the table lacks, with the nearest name it has."""
    return [
        unknown(place, f"column of {table}", column, tuple(frame.columns))
        for column in columns
        if column not in frame.columns
    ]


def numbers(column: pl.Series) -> Numbers:
    """A column as numbers; an infinite number is wrong."""
    cells = _trimmed(column)
    if cells.dtype == pl.String or cells.dtype == pl.Boolean or cells.dtype.is_numeric():
        cast = cells.cast(pl.Float64, strict=False)
    else:
        cast = pl.Series(column.name, [None] * len(cells), dtype=pl.Float64)
    value = cast.to_numpy().astype(np.float64)
    wrong = (cells.is_not_null() & cast.is_null()).to_numpy() | np.isinf(value)
    return Numbers(np.where(wrong, np.nan, value), wrong.astype(bool))


def yes_no(column: pl.Series) -> Numbers:
    """A column of 0 and 1, or of true and false, as 0.0 and 1.0."""
    cells = _trimmed(column)
    if cells.dtype != pl.String:
        read = numbers(column)
        wrong = read.wrong | (read.known & (read.value != 0) & (read.value != 1))
        return Numbers(np.where(wrong, np.nan, read.value), wrong)
    cast = cells.str.to_lowercase().replace_strict(_YES_NO, default=None, return_dtype=pl.Float64)
    return Numbers(cast.to_numpy().astype(np.float64), (cells.is_not_null() & cast.is_null()).to_numpy().astype(bool))


def words(column: pl.Series) -> tuple[str | None, ...]:
    """A column of names: text as it stands, 1 and 1.0 as "1", booleans as "true" and "false"; None where absent."""
    cells = _trimmed(column)
    return tuple(None if cell is None else spell(cell) for cell in cells.to_list())


def spell(value: object) -> str:
    """The name of a class, whether the table or the study file writes it as text, number or boolean."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def rows_where(mask: Bool[np.ndarray, " sample"]) -> tuple[int, ...]:
    """Row numbers for a finding, counted from 1."""
    return tuple(int(position) + 1 for position in np.flatnonzero(mask))


def nameable(names: Sequence[str | None], least: int = 5, most: int = 20) -> tuple[str, ...]:
    """Names that may stand in a message: few in all, and each shared by ``least`` rows, so that none is one patient's.

    A user may name the wrong column, even the one with the patients' names.
    """
    count = Counter(name for name in names if name is not None)
    return tuple(sorted(name for name in count if count[name] >= least)) if len(count) <= most else ()


def _trimmed(column: pl.Series) -> pl.Series:
    """Blank text and NaN as absent."""
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        stripped = column.str.strip_chars()
        return stripped.set(stripped == "", None)
    return column.fill_nan(None) if column.dtype.is_float() else column
