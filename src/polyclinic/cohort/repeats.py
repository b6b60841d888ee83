"""Rows that repeat: copies of one record, or a pattern that strangers share. Whole rows are looked at, in two halves.

Strangers may agree in one half of a row, where that half is common; then how common the other half is tells how often
they agree in it too. So the halves stand witness for each other, and whatever hangs together within a half (genes side
by side, one value in other words) is counted once. Copies agree in both halves though neither is common.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int, Shaped
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

_CHANCE = 0.05
"""Strangers may be at most this share of the repeats that are called copies: one in twenty, the field's usual bar. It
also means that a table of fewer than 21 patients shows nothing."""

_LOOKED_AT = 1000
"""Rows by which it is seen which columns hang together: enough to see a correlation of a tenth."""

_WITNESSES = 256
"""Columns of which halves are made: enough to tell any two rows apart, and all pairs of them are seen in a moment."""

_SHIFTS = (1, 2, 3, 5, 8)
"""Each of these rows is held against the ones so many places further on: 5,000 pairs of strangers."""


@dataclass(frozen=True)
class Halves:
    """Each row in two halves.

    Attributes:
        one: What it holds in its one half, as a number.
        other: The same of the other half: further columns, or the outcome.
        filled: How many cells are known. Rows of few known cells agree in what is missing as well.
    """

    one: Shaped[np.ndarray, " row"]
    other: Shaped[np.ndarray, " row"]
    filled: Int[np.ndarray, " row"]

    def take(self, index: Int[np.ndarray, " some"]) -> "Halves":
        """Some rows."""
        return Halves(self.one[index], self.other[index], self.filled[index])


def copied(rows: Halves, patient: Shaped[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
    """Rows whose two halves are both those of another patient, far oftener than halves meet by chance.

    Of the n patients who are known no better than this row's, so many share its one half, and so many its other: if the
    halves had nothing to do with each other, ``(shared one) * (shared other) / (n - 1)`` would share both. Rows are
    called copies where twenty times as many do, counted for the row itself and over all rows of which no more is
    expected.

    Args:
        rows: What they hold.
        patient: Rows of one patient are no strangers, and count once.
    """
    pattern, unit = numbered(rows.one, rows.other), np.unique(patient, return_inverse=True)[1]
    expected = sharing(numbered(rows.one), unit) * sharing(numbered(rows.other), unit) / _strangers(rows.filled, unit)
    found = sharing(pattern, unit)
    first = np.unique(numbered(unit, pattern), return_index=True)[1]  # each patient's pattern once
    order = first[np.argsort(expected[first], kind="stable")]
    bearable = np.cumsum(expected[order]) <= _CHANCE * np.cumsum(found[order])
    last = expected[order][bearable].max(initial=-1.0)
    return np.asarray((found > 0) & (expected <= last) & (expected <= _CHANCE * found))


def _strangers(filled: Int[np.ndarray, " row"], unit: Int[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """How many other patients have a row with no more known cells; at least 1."""
    least = np.full(int(unit.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, unit, filled)
    return np.asarray(np.maximum(np.searchsorted(np.sort(least), filled, side="right") - 1, 1), dtype=np.float64)


def frame_halves(frame: pl.DataFrame) -> Halves:
    """All columns of a table in two halves."""
    columns = frame.get_columns()[:: witness_step(frame.width)]
    codes = np.stack([column.rank("dense").fill_null(0).to_numpy() for column in columns], axis=1).astype(np.int64)
    half = halves(codes)
    one, other = (numbered(np.zeros(len(codes)), *codes[:, part].T) for part in (half, ~half))
    return Halves(one, other, (codes > 0).sum(axis=1))


def witness_step(columns: int) -> int:
    """Every how manieth of very many columns is looked at."""
    return -(-columns // _WITNESSES)


def halves(codes: Int[np.ndarray, "row column"]) -> Bool[np.ndarray, " column"]:
    """Which columns make the one half, so that the two have little to do with each other and tell about equally much.

    Columns that hang together are put side by side (average linkage); the cut is where half of what all tell, in bits,
    is reached.

    Args:
        codes: The values of each column as numbers in their order, one for what is missing.
    """
    bits = np.array([_bits(column) for column in codes.T])
    if codes.shape[1] < 2:
        return np.ones(codes.shape[1], dtype=bool)
    order = leaves_list(linkage(squareform(1 - _related(codes), checks=False), "average"))
    middle = np.cumsum(bits[order]) - bits[order] / 2
    half = np.zeros(codes.shape[1], dtype=bool)
    half[order] = middle <= bits.sum() / 2
    return half


def sharing(label: Int[np.ndarray, " row"], unit: Int[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """How many other units, such as patients, share each row's label.

    Args:
        label: A number by row, from 0.
        unit: Number of the unit behind each row, from 0.
    """
    units = int(unit.max(initial=0)) + 1
    each = np.unique(label * units + unit)
    return np.asarray(np.bincount(each // units)[label] - 1, dtype=np.float64)


def numbered(*labels: Shaped[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """A number by row, from 0: the same where all labels are."""
    codes = [np.unique(label, return_inverse=True)[1] for label in labels]
    joint = codes[0]
    for code in codes[1:]:
        joint = np.unique(joint * (int(code.max(initial=0)) + 1) + code, return_inverse=True)[1]
    return joint


def _bits(column: Int[np.ndarray, " row"]) -> float:
    """What a column tells on average, in bits."""
    share = np.unique(column, return_counts=True)[1] / len(column)
    return float(-(share * np.log2(share)).sum())


def _related(codes: Int[np.ndarray, "row column"]) -> Float[np.ndarray, "column column"]:
    """How much columns hang together, 0 to 1: by order, or because rows that agree in one agree in the other."""
    some = codes[:: -(-len(codes) // _LOOKED_AT)]
    same = np.concatenate([some == np.roll(some, shift, axis=0) for shift in _SHIFTS])
    related = np.maximum(_correlation(some), _correlation(same))
    np.fill_diagonal(related, 1.0)
    return np.asarray(related.round(6))


def _correlation(columns: Shaped[np.ndarray, "row column"]) -> Float[np.ndarray, "column column"]:
    """Strength of the correlation of ranks; 0 where a column does not vary."""
    ranks = columns.astype(np.float64)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(length > 0, length, 1.0)
    return np.clip(np.abs(ranks.T @ ranks), 0.0, 1.0)
