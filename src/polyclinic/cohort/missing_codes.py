"""Numbers that stand for "not known", such as 999 for an age: found by their gap to all other values."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from jaxtyping import Float, Int

_OTHER_CODES = (-1.0, 96.0, 97.0, 98.0, 996.0, 997.0, 998.0, 9996.0, 9997.0, 9998.0, -998.0, -999.25)
"""Codes of public surveys and of measuring devices for "not known" or "not asked" beside the rows of nines."""
_FEWEST_VALUES = 10
"""With fewer known cells a gap says nothing; a round number."""
_FEWEST_DIFFERENT = 5
"""Of fewer different values, as in -1, 0, 1, the lowest may be one of them; a round number."""
_OFTEN = 5
"""A value that stands so many times more often than the others do by themselves is no measurement; a round number."""
_CLEAR_GAP = 0.1
"""Of the range of the others: less is a gap that values by themselves have; a round number."""


def missing_codes_of(column: pl.Series) -> tuple[float, ...]:
    """Values of a numeric column that look like codes for "not known": conventional ones, far from all others.

    Far means: further than all others lie from each other; or, of a value that stands much more often than the others,
    a tenth of that. A negative code stands alone below values that are never negative.
    """
    known = column.drop_nulls().cast(pl.Float64)
    if len(known) < _FEWEST_VALUES:
        return ()
    values, counts = np.unique(known.to_numpy(), return_counts=True)
    return (*_low(values, counts), *_high(values, counts))


def without_codes(frame: pl.DataFrame, codes: Mapping[str, Sequence[float]]) -> pl.DataFrame:
    """The table with the numbers that mean "not known" as missing."""
    return frame.with_columns(_without(frame[name], numbers) for name, numbers in codes.items())


def _without(column: pl.Series, codes: Sequence[float]) -> pl.Series:
    if column.dtype == pl.String:
        gone = column.is_in([f"{code:g}" for code in codes])
    elif column.dtype.is_numeric():
        gone = column.cast(pl.Float64).is_in(list(codes))
    else:
        return column
    return column.set(gone.fill_null(False), None)


def _high(values: Float[np.ndarray, " value"], counts: Int[np.ndarray, " value"]) -> tuple[float, ...]:
    """Codes above all other values."""
    start = len(values)
    while start > 0 and _is_code(float(values[start - 1])):
        start -= 1
    for first in range(max(start, 2), len(values)):
        if _convincing(values[first:], counts[first:]) and _apart(
            float(values[first] - values[first - 1]), values[:first], counts[:first], counts[first:]
        ):
            return tuple(float(value) for value in values[first:])
    return ()


def _low(values: Float[np.ndarray, " value"], counts: Int[np.ndarray, " value"]) -> tuple[float, ...]:
    """Negative codes below values that are never negative."""
    below = int((values < 0).sum())
    if not below or len(values) - below < 2 or not all(_is_code(float(value)) for value in values[:below]):
        return ()
    gap = float(values[below] - values[below - 1])
    repeated = int(counts[:below].sum()) > 1 and len(values) - below >= _FEWEST_DIFFERENT
    if repeated or _apart(gap, values[below:], counts[below:], counts[:below]):
        return tuple(float(value) for value in values[:below])
    return ()


def _apart(
    gap: float,
    others: Float[np.ndarray, " other"],
    usual: Int[np.ndarray, " other"],
    often: Int[np.ndarray, " code"],
) -> bool:
    """Whether codes lie far from the other values, or fairly far and much more often."""
    spread = float(others[-1] - others[0])
    frequent = float(often.mean()) >= max(_OFTEN, _OFTEN * float(usual.mean()))
    return gap > spread or (frequent and gap > _CLEAR_GAP * spread)


def _is_code(value: float) -> bool:
    """Whether a number is conventional for "not known": of sevens, eights or nines only, or one of a few others."""
    digits = set(f"{abs(value):.10g}".replace(".", ""))
    return value in _OTHER_CODES or (len(digits) == 1 and digits <= set("789"))


def _convincing(codes: Float[np.ndarray, " code"], counts: Int[np.ndarray, " code"]) -> bool:
    """Nines say it by themselves if they are more than one; sevens, eights and a single 9 only if they come again."""
    nines = [value for value in codes if set(f"{abs(value):.10g}".replace(".", "")) == {"9"}]
    return bool(any(value > 9 for value in nines)) or int(counts.sum()) > 1
