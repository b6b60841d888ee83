"""How long a pixel is, where the user says so."""

import numpy as np
import polars as pl
from jaxtyping import Float

from polyclinic.cohort.outcomes import numbers, rows_where
from polyclinic.errors import CohortError, Finding


def pixel_lengths(given: float | str | None, frame: pl.DataFrame, table: str) -> Float[np.ndarray, " sample"]:
    """Length of a pixel by row, in the unit of the user's number; NaN where not said.

    Args:
        given: One length for all, or the column that holds it.
        frame: The user's table; it has that column.
        table: The user's word for the table.

    Raises:
        CohortError: lengths that are no numbers above 0.
    """
    if not isinstance(given, str):
        return np.full(len(frame), np.nan if given is None else given)
    read = numbers(frame[given])
    wrong = read.wrong | (read.known & ~(read.value > 0))
    if wrong.any():
        rule, found = "a pixel must have a length above 0", f"{wrong.sum()} cells hold none"
        place, remedy = f'{table} column "{given}"', "Correct the cells or leave them empty."
        raise CohortError(Finding("no_length", place, rule, found, remedy, rows=rows_where(wrong)))
    return read.value
