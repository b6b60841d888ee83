"""The different cells of a column of text: numbers with their units, words for "not known", other words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from polyclinic.formats.columns.cells import (
    LabCell,
    is_infinite,
    is_known_unit,
    is_unknown_word,
    split_rest,
    take_apart,
    unit_key,
)

NEARLY = 0.9
"""From this share of numbers on, a column is one of numbers and the other cells are mistakes: a round number."""
FEW_NUMBERS = 8
"""Fewer different numbers beside words may be codes of categories; a round number."""


@dataclass(frozen=True)
class DistinctCells:
    """The different cells of a column by what they are, with how often they occur.

    Attributes:
        apart: Those that begin with a number.
        unknown: Words for "not known".
        infinite: Infinite numbers.
        other: Everything else.
    """

    apart: Mapping[str, tuple[LabCell, int]]
    unknown: Mapping[str, int]
    infinite: Mapping[str, int]
    other: Mapping[str, int]

    @classmethod
    def of(cls, column: pl.Series) -> "DistinctCells":
        """The cells of a column."""
        apart: dict[str, tuple[LabCell, int]] = {}
        unknown: dict[str, int] = {}
        infinite: dict[str, int] = {}
        other: dict[str, int] = {}
        for cell, many in column.drop_nulls().value_counts(sort=True, name="\0n").iter_rows():
            if is_unknown_word(cell):
                unknown[cell] = many
            elif is_infinite(cell):
                infinite[cell] = many
            elif (found := take_apart(cell)) is not None:
                apart[cell] = (found, many)
            else:
                other[cell] = many
        return cls(apart, unknown, infinite, other)

    @cached_property
    def numbers(self) -> Counter[str]:
        """The numbers as written, with how often each occurs."""
        total: Counter[str] = Counter()
        for cell, many in self.apart.values():
            total[cell.number] += many
        return total

    @cached_property
    def units(self) -> Counter[str]:
        """What follows the numbers, by the key of the unit; what is no unit by itself, after a line break."""
        total: Counter[str] = Counter()
        for cell, many in self.apart.values():
            total[self.unit_of(cell)] += many
        return total

    @cached_property
    def _low_flags(self) -> bool:
        """Whether "L" stands for "low": "H" stands for "high" elsewhere, or few cells have it."""
        ends = Counter(word for cell, many in self.apart.values() for word in cell.rest.split() for _ in range(many))
        return bool(ends["H"] or ends["HH"]) or ends["L"] < 0.5 * sum(many for _, many in self.apart.values())

    def split(self, cell: LabCell) -> tuple[str, bool] | None:
        """Unit and flag of a cell."""
        return split_rest(cell.rest, self._low_flags)

    def unit_of(self, cell: LabCell) -> str:
        """The key of the unit, "" where there is none, and what is no unit after a line break."""
        parts = self.split(cell)
        return f"\n{cell.rest}" if parts is None else unit_key(parts[0])

    @cached_property
    def unit(self) -> str:
        """The most frequent unit, "" if there is none. A word that is no known unit must stand beside all."""
        total = sum(self.units.values())
        units = (u for u in self.units if u and "\n" not in u)
        kept = (u for u in units if is_known_unit(u) or self.units[u] >= NEARLY * total)
        return max(kept, key=lambda u: self.units[u], default="")

    @property
    def readable(self) -> int:
        """Cells that are numbers, with or without a unit."""
        return sum(many for unit, many in self.units.items() if unit in ("", self.unit) or is_known_unit(unit))

    @property
    def known(self) -> int:
        """Cells that are neither words for "not known" nor infinite."""
        return sum(many for _, many in self.apart.values()) + sum(self.other.values())
