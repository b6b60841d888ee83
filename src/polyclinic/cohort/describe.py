"""Table one: who the patients are, in all and by outcome or by part."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped

from polyclinic.formats.columns.column_types import as_words

MOST_LEVELS = 8
"""Lines of table one for a column of words: the commonest values; what is left out is counted. A round number."""

FEWEST_OF_LEVEL = 5
"""A value that fewer rows share may point at a patient, so it is not named."""

_ROUNDING = 1e-12  # of the mean: a spread below it is what arithmetic leaves of equal numbers
MOST_COLUMNS = 30
"""Variables in table one: they fill one printed page. A round number."""
FEW_OF_MANY = 10
"""Of an input that reads more columns than ``MOST_COLUMNS`` (genes, say) so many stand in table one, to show what they
are like: nobody reads thousands there. A round number."""


@dataclass(frozen=True)
class Middle:
    """A number in a group: median and quartiles of the known values; NaN where none is known."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return "-" if np.isnan(self.median) else f"{self.median:.4g} [{self.low:.4g}, {self.high:.4g}]"


@dataclass(frozen=True)
class Share:
    """A category in a group: how many, and which share of the rows where the variable is known."""

    count: int
    share: float

    def __str__(self) -> str:
        return f"{self.count:,} ({self.share:.1%})"


@dataclass(frozen=True)
class TableOneLine:
    """A line of table one.

    Attributes:
        name: The variable, in the user's word.
        level: One category of it, "missing", or "" for a number.
        cells: One per group, as in ``TableOne.groups``.
        difference: Standardised difference between the groups, the largest over all pairs; None where there is one
            group, or on further lines of the same variable.
    """

    name: str
    level: str
    cells: tuple[Middle | Share, ...]
    difference: float | None = None


@dataclass(frozen=True)
class TableOne:
    """Who the patients are.

    Attributes:
        groups: "all" first, then the groups.
        sizes: Rows of each.
        lines: Number variables have one line, categories one per level; both one more for what is missing.
        left_out: Further columns, which are not described.
    """

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    lines: tuple[TableOneLine, ...]
    left_out: int = 0


def choose_described(groups: Sequence[Sequence[str]]) -> list[str]:
    """The columns that table one has room for: groups of few columns first, of a group of many a few.

    Nothing is chosen by how it differs between outcomes: what is shown must not depend on what was found.

    Args:
        groups: Columns that belong together, such as those of one input; in a group they stay in their order.

    Example:
        >>> choose_described([[f"gene_{n}" for n in range(3000)], ["age", "sex"]])[:3]
        ['age', 'sex', 'gene_0']
    """
    chosen: dict[str, None] = {}
    for group in sorted(groups, key=len):
        chosen |= dict.fromkeys(group if len(group) <= MOST_COLUMNS else group[:FEW_OF_MANY])
    return list(chosen)[:MOST_COLUMNS]


def table_one(
    frame: pl.DataFrame, by: Shaped[np.ndarray, " row"] | None = None, columns: Collection[str] | None = None
) -> TableOne:
    """Median and quartiles of numbers, counts and shares of categories, and what is missing, by group.

    No level that fewer than five rows share is named, and of a variable with many levels only the commonest are: a
    table that goes into a report must not name a patient.

    Args:
        frame: The columns that might be described.
        by: Group of each row as text ("" = in no group), such as the outcome or the part; None = no groups.
        columns: Those to describe; the others are counted. None = as ``choose_described`` has it of one group.
    """
    groups = [] if by is None else sorted(set(np.unique(by).tolist()) - {""})
    masks = [np.ones(frame.height, dtype=bool), *(by == group for group in groups)]
    describable = [column.name for column in frame if not (column.dtype.is_nested() or column.dtype == pl.Binary)]
    chosen = [name for name in (choose_described([describable]) if columns is None else columns) if name in describable]
    lines = [line for name in chosen for line in _lines(frame[name], masks)]
    sizes = tuple(int(mask.sum()) for mask in masks)
    return TableOne(("all", *groups), sizes, tuple(lines), len(describable) - len(chosen))


def difference_of_numbers(one: Float[np.ndarray, " a"], other: Float[np.ndarray, " b"]) -> float:
    """Difference of means in units of the common standard deviation; without sign.

    Source: Austin, Statistics in Medicine 2009, 28:3083, equation for continuous covariates.
    """
    if len(one) < 2 or len(other) < 2:
        return float("nan")
    spread = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    gap = abs(float(one.mean() - other.mean()))
    noise = _ROUNDING * max(abs(float(one.mean())), abs(float(other.mean())))
    return gap / float(spread) if spread > noise else (0.0 if gap <= noise else float("inf"))


def difference_of_shares(one: Float[np.ndarray, " level"], other: Float[np.ndarray, " level"]) -> float:
    """Distance between two distributions over the same levels, in units of their common standard deviation.

    Source: Yang and Dalton, A unified approach to measuring the effect size between two groups, SAS Global Forum
    2012, paper 335 (Mahalanobis distance over all levels but the first).
    """
    a, b = one[1:], other[1:]
    common = (np.diag(a) - np.outer(a, a) + np.diag(b) - np.outer(b, b)) / 2
    gap = a - b
    return float(np.sqrt(max(0.0, gap @ np.linalg.pinv(common) @ gap)))


def _lines(column: pl.Series, masks: Sequence[Bool[np.ndarray, " row"]]) -> Iterator[TableOneLine]:
    if column.dtype.is_numeric() and column.drop_nulls().n_unique() > 2:
        yield _number_line(column, masks)
    elif not column.dtype.is_temporal():
        yield from _level_lines(pl.Series(column.name, as_words(column)).replace("", None), masks)
    missing = column.is_null().to_numpy()
    if missing.any():
        yield TableOneLine(column.name, "missing", tuple(_share(missing, mask) for mask in masks))


def _number_line(column: pl.Series, masks: Sequence[Bool[np.ndarray, " row"]]) -> TableOneLine:
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = [values[mask & ~np.isnan(values)] for mask in masks]
    cells = tuple(_middle(group) for group in known)
    pairs = [difference_of_numbers(a, b) for a, b in combinations(known[1:], 2)]
    return TableOneLine(column.name, "", cells, _largest(pairs))


def _middle(values: Float[np.ndarray, " value"]) -> Middle:
    if not len(values):
        return Middle(float("nan"), float("nan"), float("nan"))
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return Middle(float(median), float(low), float(high))


def _level_lines(column: pl.Series, masks: Sequence[Bool[np.ndarray, " row"]]) -> Iterator[TableOneLine]:
    known = column.is_not_null().to_numpy()
    levels = _levels(column)
    if not levels:  # an identifier or an address: nothing that several patients share
        return
    memberships = [(column == level).fill_null(False).to_numpy() for level in levels]
    rest = known & ~np.logical_or.reduce([np.zeros(len(column), dtype=bool), *memberships])
    if rest.any():
        levels, memberships = [*levels, "other"], [*memberships, rest]
    cells = [[_share(member, mask & known) for mask in masks] for member in memberships]
    shares = np.array([[cell.share for cell in row] for row in cells])
    pairs = [difference_of_shares(shares[:, a], shares[:, b]) for a, b in combinations(range(1, len(masks)), 2)]
    for place, (level, row) in enumerate(zip(levels, cells, strict=True)):
        yield TableOneLine(column.name, level, tuple(row), _largest(pairs) if place == 0 else None)


def _levels(column: pl.Series) -> list[str]:
    """The commonest levels, largest first; those of the same size in the order of the alphabet."""
    counts = column.drop_nulls().value_counts(name="\0n")
    ordered = counts.sort(by=["\0n", column.name], descending=[True, False])
    return ordered.filter(ordered["\0n"] >= FEWEST_OF_LEVEL).to_series(0).head(MOST_LEVELS).to_list()


def _share(member: Bool[np.ndarray, " row"], mask: Bool[np.ndarray, " row"]) -> Share:
    count, whole = int((member & mask).sum()), int(mask.sum())
    return Share(count, count / whole if whole else 0.0)


def _largest(pairs: Sequence[float]) -> float | None:
    known = [pair for pair in pairs if not np.isnan(pair)]
    return max(known) if known else None
