"""Variables of the patients as arrays: numbers, categories, and a hash of what each row holds. No torch.

A column of numbers becomes floats with NaN where nothing is known; any other column becomes codes into a sorted list
of words, with -1 where nothing is known. A cell's content never enters a message.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int, UInt64

from polyclinic.cohort.repeats import Halves, halves, witness_step
from polyclinic.errors import CohortError, Finding, stop_on

_HASH_DIGITS = 6
"""Single precision keeps 7 digits: what was exported once so and once in full is still the same."""


@dataclass(frozen=True)
class Categories:
    """A column of categories.

    Attributes:
        words: What occurs in the column, sorted.
        codes: Place of each row's word in ``words``, -1 where nothing is known.
    """

    words: tuple[str, ...]
    codes: Int[np.ndarray, " row"]


def read_variables(
    frame: pl.DataFrame, table: str, numeric: Collection[str], categorical: Collection[str]
) -> tuple[dict[str, Float[np.ndarray, " row"]], dict[str, Categories]]:
    """Every column as numbers or as categories, by name, in the order of the frame.

    Columns named neither ``numeric`` nor ``categorical`` go by their type: numbers are numbers, text and yes-or-no
    are categories: whether a column of text holds numbers was decided when the table was read.

    Raises:
        CohortError: text in a number column, and columns that are neither, such as dates; all findings at once.
    """
    numbers: dict[str, Float[np.ndarray, " row"]] = {}
    categories: dict[str, Categories] = {}
    findings: list[Finding] = []
    for series in frame:
        name, dtype = series.name, series.dtype
        if dtype.is_temporal() or dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            findings.append(_neither(table, name, dtype.is_temporal()))
        elif name in numeric or (name not in categorical and (dtype.is_numeric() or dtype == pl.Null)):
            numbers[name], stray = as_numbers(series)
            findings += [_text_in_numbers(table, name, stray)] if stray else []
        else:
            categories[name] = as_words(series)
    stop_on(findings, CohortError)
    return numbers, categories


def as_numbers(series: pl.Series) -> tuple[Float[np.ndarray, " row"], tuple[int, ...]]:
    """A column as floats, NaN where nothing is known, and the rows (from 1) that hold something else than a number."""
    if series.dtype.is_float() or series.dtype.is_integer():
        numbers = series.to_numpy().astype(np.float64)  # NaN where null; quick, for there may be 20,000 genes
        known = ~np.isnan(numbers)
    else:
        plain = _stripped(series) if series.dtype in (pl.String, pl.Categorical, pl.Enum) else series
        numbers = plain.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
        known = plain.is_not_null().to_numpy()
    finite = np.isfinite(numbers)
    return np.where(finite, numbers, np.nan), tuple(int(row) + 1 for row in np.flatnonzero(known & ~finite))


def as_words(series: pl.Series) -> Categories:
    """A column as categories. Whole numbers read the same whether the table holds 1, 1.0 or "1"."""
    text = _text(series)
    words = text.drop_nulls().unique().sort()
    if not len(words):
        return Categories((), np.full(len(series), -1, dtype=np.int32))
    codes = text.cast(pl.Enum(words)).to_physical().cast(pl.Int32).fill_null(-1)
    return Categories(tuple(words.to_list()), codes.to_numpy())


def _text(series: pl.Series) -> pl.Series:
    if not series.dtype.is_float():
        return _stripped(series)
    filled = series.fill_nan(None)
    known = filled.drop_nulls()
    whole = bool((known == known.round()).all()) and bool((known.abs() < 2**53).all())
    return (filled.cast(pl.Int64) if whole else filled).cast(pl.String)


def _stripped(series: pl.Series) -> pl.Series:
    text = series.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _text_in_numbers(table: str, column: str, rows: tuple[int, ...]) -> Finding:
    return Finding(
        name="text_in_number_column",
        place=f'{table} column "{column}"',
        rule="every filled cell must be a number",
        found=f"{len(rows)} {'is' if len(rows) == 1 else 'are'} not",
        remedy="Correct these cells, name their word in [cohort] missing_values, or list the column under categorical.",
        rows=rows,
    )


def _neither(table: str, column: str, temporal: bool) -> Finding:
    return Finding(
        name="neither_number_nor_category",
        place=f'{table} column "{column}"',
        rule="must hold numbers or categories",
        found="it holds dates or times" if temporal else "it holds lists or bytes",
        remedy="Give an age or a number of days instead, or leave it out." if temporal else "Leave it out.",
    )


def row_hashes(
    numbers: Float[np.ndarray, "row number"], categories: Sequence[Categories] = ()
) -> UInt64[np.ndarray, " row"]:
    """A hash of what each row holds: equal content, equal hash; 0 where nothing is known.

    Args:
        numbers: NaN where nothing is known; compared to 6 significant digits.
        categories: Further columns of the same rows.
    """
    total, filled = np.zeros(len(numbers), dtype=np.uint64), np.zeros(len(numbers), dtype=bool)
    columns = [_number_keys(column) for column in numbers.T] + [_word_keys(column) for column in categories]
    for position, (keys, known) in enumerate(columns):
        salt = np.array([(position + 1) * 0x9E3779B97F4A7C15 % 2**64], dtype=np.uint64)
        total += np.where(known, _mix(keys ^ _mix(salt)), np.uint64(0))
        filled |= known
    return np.where(filled, np.maximum(total, np.uint64(1)), np.uint64(0))


def row_halves(numbers: Float[np.ndarray, "row number"], categories: Sequence[Categories] = ()) -> Halves:
    """What each row holds in two halves of the columns that have little to do with each other.

    Of very many columns some are looked at, evenly spread.

    Args:
        numbers: NaN where nothing is known; compared to 6 significant digits.
        categories: Further columns of the same rows.
    """
    step = witness_step(numbers.shape[1] + len(categories))
    numbers, categories = numbers[:, ::step], categories[::step]
    codes = [np.unique(_rounded(column), return_inverse=True)[1] for column in numbers.T]
    words = [column.codes for column in categories]
    half = halves(np.stack([*codes, *words], axis=1))
    parts = [(part[: len(codes)], part[len(codes) :]) for part in (half, ~half)]
    one, other = (row_hashes(numbers[:, n], list(compress(categories, c.tolist()))) for n, c in parts)
    filled = np.isfinite(numbers).sum(axis=1) + sum((codes >= 0 for codes in words), np.zeros(len(numbers), np.int64))
    return Halves(one, other, filled)


def _rounded(column: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """To six significant digits; what is not known is less than all."""
    values = np.where(np.isfinite(column), column, 0.0).astype(np.float64)
    size = np.floor(np.log10(np.where(values == 0, 1.0, np.abs(values))))
    unit = 10.0 ** (_HASH_DIGITS - 1 - size)
    rounded = np.round(values * unit) / unit + 0.0  # so that -0 and 0 are one number
    return np.where(np.isfinite(column), rounded, -np.inf)


def _number_keys(column: Float[np.ndarray, " row"]) -> tuple[UInt64[np.ndarray, " row"], Bool[np.ndarray, " row"]]:
    return _rounded(column).view(np.uint64), np.isfinite(column)


def _word_keys(column: Categories) -> tuple[UInt64[np.ndarray, " row"], Bool[np.ndarray, " row"]]:
    keys = np.array([_word_key(word) for word in column.words] or [0], dtype=np.uint64)
    return keys[column.codes], column.codes >= 0


def _word_key(word: str) -> int:
    """FNV-1a, 64 bit: the same on every machine, unlike Python's own hash of a text.

    Source: Fowler, Noll & Vo, IETF draft-eastlake-fnv, section 2.
    """
    key = 0xCBF29CE484222325
    for byte in word.encode():
        key = (key ^ byte) * 0x100000001B3 % 2**64
    return key


def _mix(keys: UInt64[np.ndarray, " row"]) -> UInt64[np.ndarray, " row"]:
    """Spread the bits of each key over all 64.

    Source: Steele, Lea & Flood, OOPSLA 2014, the finaliser of SplitMix64.
    """
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UInt64[np.ndarray, " row"] = keys ^ (keys >> np.uint64(31))
    return mixed
