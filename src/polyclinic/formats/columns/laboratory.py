"""A column of laboratory values: nearly all cells are numbers, in whatever way they are written. Nothing is silent."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.cells import LabCell, is_known_unit, is_unknown_word, unit_key
from polyclinic.formats.columns.column_types import LARGEST_EXACT, counted
from polyclinic.formats.columns.distinct_cells import FEW_NUMBERS, NEARLY, DistinctCells
from polyclinic.formats.columns.numbers import (
    PLAIN,
    POINTS_OPEN,
    NumberStyle,
    OpenStyle,
    choose_style,
    points_may_divide_thousands,
)
from polyclinic.formats.columns.several_numbers import several_numbers, two_numbers_among
from polyclinic.study.schema import ColumnSection

_FEW_WORDS = 3
"""Ways to write "not known" in one column; a round number."""
_GLANCE = 200
"""Known cells looked at first; a round number."""
_A_WORD_REPEATS = 5
"""A unit that fewer cells share is not named: it could be a slip that tells who it is."""
_SIGN_WORDS = {"": "nothing", ",": "commas", ".": "points", " ": "blanks", "'": "apostrophes"}
_MAYBE = r"^\W*[.,]?\d"
_CODE = r"^[A-Za-z]{1,3}[-.]?[0-9]+([.-][0-9A-Za-z]+)*$"
_PADDED = r"^0[0-9]"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ColumnReading:
    """What became of a column.

    Attributes:
        values: The column as numbers or dates; None = it stays text.
        findings: What was done, and what stands in the way.
        learned: How it is written, for the reading of further patients; None = plainly.
    """

    values: pl.Series | None
    findings: tuple[Finding, ...]
    learned: ColumnSection | None = None


def read_laboratory(column: pl.Series, table: str, said: ColumnSection, *, learned: bool) -> ColumnReading | None:
    """A column of text as numbers, or None if it holds words.

    It holds numbers if nine in ten of its known cells are, or if the study says so. A single unit is split off. A
    value below or above a limit is read as the limit itself. A word for "not known" and an infinite number are
    missing. Other text is missing too, once the user accepts that by name.

    Args:
        column: Text, stripped; null where not known.
        table: The user's word for the table, for messages.
        said: What the study says about the column.
        learned: Whether ``said`` is what a model was trained on, so that another unit is a mistake.
    """
    place = f'{table} column "{column.name}"'
    forced = said.type == "number"
    if not forced and not _maybe_numbers(column) and not _nothing_known(column):
        return None
    if (several := several_numbers(place, column)) is not None and not forced:
        return ColumnReading(None, (several,))
    cells = DistinctCells.of(column)
    if cells.unknown and not cells.known:
        return _Written(place, column, cells, PLAIN, said, learned).reading()
    style = choose_style(cells.numbers, said.decimal, said.thousands, NEARLY)
    nearly = cells.readable >= NEARLY * cells.known if not forced else True
    if not nearly or not cells.apart or (not forced and _are_codes(column)):
        return None
    if isinstance(style, NumberStyle) and not learned and points_are_open(cells.numbers, said):
        style = POINTS_OPEN
    if isinstance(style, OpenStyle):
        return ColumnReading(None, (ambiguous_finding(place, column.name, style),))
    return _Written(place, column, cells, style, said, learned).reading()


def points_are_open(numbers: Collection[str], said: ColumnSection) -> bool:
    """Whether a point in 2.144 may stand between thousands, and the study does not say."""
    return said.decimal is None and said.thousands is None and points_may_divide_thousands(numbers)


def _maybe_numbers(column: pl.Series) -> bool:
    """A glance that spares columns of words the whole look."""
    known = column.drop_nulls().head(_GLANCE)
    return bool(known.str.contains(_MAYBE).mean() or 0.0) and int(known.str.contains(_MAYBE).sum()) >= 0.3 * len(known)


def _nothing_known(column: pl.Series) -> bool:
    """Whether there is nothing but a word or sign for "not known"."""
    words = column.drop_nulls().head(_GLANCE).unique()
    return len(words) <= _FEW_WORDS and all(map(is_unknown_word, words))


def _are_codes(column: pl.Series) -> bool:
    """Letters before digits, as in ICD codes, and zeros in front, as in 007, are codes and meant so."""
    return bool(column.str.contains(_CODE).any()) or bool(column.str.contains(_PADDED).any())


def _names_groups(cells: Collection[tuple[str, float]]) -> bool:
    """Whether a few limits name groups, as in <20 years and >20 years: as numbers both would be one."""
    below = {number for limit, number in cells if limit == "<"}
    above = {number for limit, number in cells if limit == ">"}
    return bool(below & above) and len({number for _, number in cells}) < FEW_NUMBERS


@dataclass(frozen=True)
class _Written:
    """A column that holds numbers, and the style in which they are written."""

    place: str
    column: pl.Series
    cells: DistinctCells
    style: NumberStyle
    said: ColumnSection
    learned: bool

    def reading(self) -> ColumnReading | None:
        """The numbers, with all findings."""
        if self._mixed_units:
            return ColumnReading(None, (self._units_finding(),))
        values = self._values
        if self.said.type != "number" and (long := self._long(values)):
            return ColumnReading(None, (long_numbers(self.place, self.column.is_in(long)),))
        other = {cell for cell in self._asked if cell not in values}
        if other and len(set(values.values())) < FEW_NUMBERS and self.said.type != "number":
            return None
        limits = [(self.cells.apart[text][0].limit, number) for text, number in values.items()]
        if self.said.type != "number" and not self.learned and _names_groups(limits):
            return None
        read = self.column.replace_strict(values, default=None, return_dtype=pl.Float64)
        findings = [f for f in (self._note(values), self._infinite(), self._other(other)) if f is not None]
        decimals = any(self.style.decimal in number for number in self.cells.numbers)
        return ColumnReading(_whole(read, decimals), tuple(findings), self._style_learned())

    @property
    def _asked(self) -> Iterator[str]:
        yield from self.cells.apart
        yield from self.cells.other

    @cached_property
    def _unit(self) -> str:
        """The unit of the numbers: that of the study, or the one in the cells."""
        return self.cells.unit if self.said.unit is None else unit_key(self.said.unit)

    @property
    def _mixed_units(self) -> bool:
        """Whether known units stand in the cells beside the one of the column, or beside plain shares."""
        units = self.cells.units
        if any(u and u != self._unit and "\n" not in u and is_known_unit(u) for u in units):
            return True
        if self.learned and self.said.unit is not None and self.cells.unit not in ("", self._unit):
            return True
        read = [(self.cells.unit_of(cell), self._number(cell)) for cell, _ in self.cells.apart.values()]
        return self._unit == "%" and _shares_beside_percent(read)

    def _number(self, cell: LabCell) -> float | None:
        number = self.style.read(cell.number)
        return None if number is None else number * 10.0**cell.power

    @cached_property
    def _values(self) -> dict[str, float]:
        """What each different cell says, where it is a number with the column's unit or none."""
        return {
            text: number
            for text, (cell, _) in self.cells.apart.items()
            if self.cells.unit_of(cell) in ("", self._unit) and (number := self._number(cell)) is not None
        }

    def _long(self, values: Mapping[str, float]) -> list[str]:
        """Cells of whole numbers that no float holds exactly; what has an exponent is a measure."""
        return [
            text
            for text, number in values.items()
            if abs(number) > LARGEST_EXACT and "e" not in text.lower() and not self.cells.apart[text][0].power
        ]

    def _note(self, values: Mapping[str, float]) -> Finding | None:
        told = [text for text in self._what_was_done(values) if text]
        if not told:
            return None
        limits = any(cell.limit for cell, _ in self.cells.apart.values())
        return Finding(
            name="read_as_numbers",
            place=self.place,
            rule="a column of numbers may be written in many ways",
            found="; ".join(told),
            remedy=f"Look whether that is meant; if not, write {self._otherwise(values)}.",
            severity=Severity.WARNING if limits else Severity.NOTE,
        )

    def _otherwise(self, values: Mapping[str, float]) -> str:
        """What the study would write if the cells mean something else."""
        signs = self.style != PLAIN and any(set(",.") & set(self.cells.apart[text][0].number) for text in values)
        other = "," if self.style.decimal == "." else "."
        return f"{section_of(self.column.name)} " + (f'decimal = "{other}"' if signs else 'type = "text"')

    def _what_was_done(self, values: Mapping[str, float]) -> Iterator[str]:
        """What was done to the cells, with how many of each."""
        sign = self.style.thousands
        shared = self.cells.units[self.cells.unit] >= _A_WORD_REPEATS
        steps: tuple[tuple[str, Callable[[LabCell], bool]], ...] = (
            ("digits or signs of another script", lambda cell: cell.foreign),
            ("decimal comma", lambda cell: self.style.decimal == "," and "," in cell.number),
            (f"{_SIGN_WORDS[sign]} between thousands", lambda cell: bool(sign) and sign in cell.number),
            (f'the unit "{self._written_unit}" split off' if shared else "a unit split off", self._has_unit),
            ("a value below or above a limit read as the limit itself", lambda cell: bool(cell.limit)),
            ("a flag for too high or too low left out", self._has_flag),
            ("a power of ten multiplied", lambda cell: bool(cell.power)),
        )
        cells = [self.cells.apart[text] for text in values]
        for words, done in steps:
            many = sum(times for cell, times in cells if done(cell))
            yield f"{words} in {counted(many, 'cell')}" if many else ""
        unknown = sum(self.cells.unknown.values())
        yield f"a word for not known read as missing in {counted(unknown, 'cell')}" if unknown else ""

    def _has_unit(self, cell: LabCell) -> bool:
        return bool(self.cells.unit_of(cell))

    def _has_flag(self, cell: LabCell) -> bool:
        parts = self.cells.split(cell)
        return parts is not None and parts[1]

    @cached_property
    def _written_unit(self) -> str:
        """The unit as most cells write it."""
        ways: Counter[str] = Counter()
        for cell, many in self.cells.apart.values():
            parts = self.cells.split(cell)
            if parts is not None and unit_key(parts[0]) == self._unit:
                ways[parts[0]] += many
        return max(ways, key=lambda way: ways[way], default=self._unit)

    def _infinite(self) -> Finding | None:
        if not self.cells.infinite:
            return None
        return infinite_finding(self.place, self.column.is_in(list(self.cells.infinite)))

    def _other(self, other: set[str]) -> Finding | None:
        if not other:
            return None
        mask = self.column.is_in(sorted(other)).fill_null(False)
        hints = [hint for hint in (self._in_another_style(other), two_numbers_among(other)) if hint]
        return Finding(
            name="text_in_number_column",
            place=self.place,
            rule="a column of numbers must hold nothing but numbers",
            found=f"something else in {int(mask.sum())} of {len(self.column) - self.column.null_count():,} known cells"
            + "".join(f", {hint}" for hint in hints),
            remedy="Correct the cells, name their word in [cohort] missing_values, or list the column under "
            "categorical; accept text_in_number_column to read these cells as missing.",
            severity=Severity.REFUSED,
            rows=rows_of(mask),
        )

    def _in_another_style(self, other: set[str]) -> str:
        """Whether some of the other cells are numbers with another sign before the decimals or between thousands."""
        return "some with another decimal sign" if any(text in self.cells.apart for text in other) else ""

    def _units_finding(self) -> Finding:
        strange = [
            text
            for text, (cell, _) in self.cells.apart.items()
            if (unit := self.cells.unit_of(cell)) != self._unit and (unit or self._unit == "%")
        ]
        mask = self.column.is_in(strange).fill_null(False)
        other = "the unit that the model was trained on" if self.learned else "one unit"
        return Finding(
            name="mixed_units",
            place=self.place,
            rule=f"all values of a column must have {other}",
            found=f"another one in {counted(int(mask.sum()), 'cell')}",
            remedy="Convert the values, or write them into two columns.",
            severity=Severity.REFUSED,
            rows=rows_of(mask),
        )

    def _style_learned(self) -> ColumnSection | None:
        written = self._written_unit if self._unit else None
        decimal = None if self.style == PLAIN else self.style.decimal
        thousands = self.style.thousands or None
        if decimal is None and written is None:
            return None
        learned = {"type": "number", "decimal": decimal, "thousands": thousands, "unit": written}
        return ColumnSection.model_validate(learned)


def section_of(column: str) -> str:
    """The section of the study that says how the cells of a column are written."""
    return f"[cohort.columns.{column}]" if _BARE_KEY.fullmatch(column) else f"[cohort.columns.{json.dumps(column)}]"


def _shares_beside_percent(read: Sequence[tuple[str, float | None]]) -> bool:
    """Whether a bare 0.45 is rather 45%: all bare numbers are at most 1, or none with the sign is below 1."""
    bare = [abs(number) for unit, number in read if number is not None and not unit]
    signed = [abs(number) for unit, number in read if number and unit]
    return any(number % 1 and number < 1 for number in bare) and (max(bare) <= 1 or min(signed, default=0) >= 1)


def infinite_finding(place: str, mask: pl.Series) -> Finding:
    """The finding that some numbers are infinite and therefore missing."""
    known = mask.fill_null(False)
    return Finding(
        name="infinite_values",
        place=place,
        rule="a measurement must be finite",
        found=f"an infinite number in {counted(int(known.sum()), 'cell')}, read as missing",
        remedy="Look at the calculation behind it: a division by 0?",
        severity=Severity.WARNING,
        rows=rows_of(known),
    )


def long_numbers(place: str, mask: pl.Series) -> Finding:
    """The finding that digits stay text, because as a number two of them could become one."""
    known = mask.fill_null(False)
    return Finding(
        name="long_numbers",
        place=place,
        rule="a number must not have more digits than can be held exactly",
        found=f"more in {counted(int(known.sum()), 'cell')}, so the column is read as text, as identifiers are",
        remedy='If they are measures, write type = "number" under [cohort.columns] for the column.',
        severity=Severity.NOTE,
        rows=rows_of(known),
    )


def rows_of(mask: pl.Series) -> tuple[int, ...]:
    """Rows from 1 where a mask is true."""
    return tuple(int(i) + 1 for i in mask.arg_true())


def ambiguous_finding(place: str, column: str, style: OpenStyle) -> Finding:
    """The finding that a column does not tell how its numbers are written."""
    return Finding(
        name="ambiguous_numbers",
        place=place,
        rule="a column of numbers must show how they are written",
        found=style.found,
        remedy='Write decimal = "," or decimal = "." under [cohort], or for this column under '
        f"{section_of(column)}: the other sign then stands between thousands; accepted by name, the column is read as "
        "categories.",
        severity=Severity.REFUSED if style.certain else Severity.WARNING,
    )


def _whole(read: pl.Series, decimals: bool) -> pl.Series:
    """Numbers without decimals as whole numbers, as far as a float holds them exactly."""
    known = read.drop_nulls()
    return read if decimals or bool(((known % 1 != 0) | (known.abs() > LARGEST_EXACT)).any()) else read.cast(pl.Int64)
