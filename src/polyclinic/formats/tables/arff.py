r"""ARFF, the table format of the Weka program and of many public medical tables.

Source: Weka 3.9 manual, "ARFF" (attributes numeric, real, integer, nominal, string, date; ``?`` = missing;
``%`` begins a comment line; names and values between quotation marks may hold any sign, ``\`` before a sign means it).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

import polars as pl

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.headers import TableCells, refuse_duplicates
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TextTable

_WORD = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_WORD}|[^\s{{]+)\s*(.+)$", re.IGNORECASE)
_CELL = re.compile(rf"\s*({_WORD}|[^,\t]*?)\s*([,\t]|$)")
_NUMERIC = ("numeric", "real", "integer")


@dataclass(frozen=True)
class _Attribute:
    """One declared column: its name, the values it may have (None = any), and whether it is text."""

    name: str
    values: frozenset[str] | None
    is_text: bool = False


@final
class Arff(TextTable):
    """An .arff file in its dense form."""

    name = ".arff"
    suffixes = (".arff",)
    heeds: ClassVar[frozenset[str]] = frozenset()

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells; numbers are typed later, from the whole column. What is declared nominal or string stays text.

        Raises:
            CohortError: no attributes or rows, sparse rows, relational attributes, rows with too few or too many cells,
                values that a nominal attribute does not declare.
        """
        lines = enumerate(text.split("\n"), 1)
        attributes = list(_attributes(lines, table))
        if not attributes:
            raise CohortError(_nothing(table, "columns", "no @attribute line stands before @data"))
        refuse_duplicates([attribute.name for attribute in attributes], table)
        rows = list(_rows(lines, table))
        if not rows:
            raise CohortError(_nothing(table, "rows of patients", "nothing follows @data"))
        nominal = frozenset(a.name for a in attributes if a.values is not None or a.is_text)
        return TableCells(_frame(attributes, rows, table), nominal=nominal)


def _attributes(lines: Iterator[tuple[int, str]], table: str) -> Iterator[_Attribute]:
    """The declared columns, up to the line @data."""
    for number, line in lines:
        stripped = line.strip()
        keyword = stripped[:10].lower()
        if keyword.startswith("@data"):
            return
        if keyword.startswith("@attribute"):
            yield _attribute(stripped, number, table)


def _attribute(line: str, number: int, table: str) -> _Attribute:
    parts = _ATTRIBUTE.match(line)
    if parts is None:
        raise CohortError(_bad_line(table, number, "is not @attribute NAME TYPE"))
    name, kind = _bare(parts[1]), parts[2].strip()
    if kind.startswith("{") and kind.endswith("}"):
        return _Attribute(name, frozenset(_cells(kind[1:-1])))
    word = kind.split()[0].lower()
    if word not in (*_NUMERIC, "string", "date"):
        raise CohortError(_bad_line(table, number, "declares a type that is not read here (relational, or misspelt)"))
    return _Attribute(name, None, word == "string")


def _rows(lines: Iterator[tuple[int, str]], table: str) -> Iterator[list[str]]:
    for number, line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("%"):
            continue
        if stripped.startswith("{"):
            raise CohortError(_bad_line(table, number, "is a sparse row; save the table in the dense form or as csv"))
        yield _cells(stripped)


def _cells(line: str) -> list[str]:
    if "'" not in line and '"' not in line and "\\" not in line:
        return [cell.strip() for cell in line.replace("\t", ",").split(",")]
    cells = []
    position = 0
    while found := _CELL.match(line, position):
        cells.append(_bare(found[1]))
        position = found.end()
        if not found[2]:
            break
    return cells


def _bare(word: str) -> str:
    """A name or value without its quotation marks."""
    if len(word) > 1 and word[0] in "'\"" and word[-1] == word[0]:
        word = word[1:-1]
    return re.sub(r"\\(.)", r"\1", word)


def _frame(attributes: list[_Attribute], rows: list[list[str]], table: str) -> pl.DataFrame:
    ragged = tuple(number for number, row in enumerate(rows, 1) if len(row) != len(attributes))
    if ragged:
        raise CohortError(_ragged(table, len(attributes), ragged))
    columns = {
        attribute.name: pl.Series(values, dtype=pl.String)
        for attribute, values in zip(attributes, zip(*rows, strict=True), strict=True)
    }
    undeclared = [f for a in attributes if (f := _undeclared(a, columns[a.name], table)) is not None]
    if undeclared:
        raise CohortError(undeclared)
    return pl.DataFrame({name: column.replace("?", None) for name, column in columns.items()})


def _undeclared(attribute: _Attribute, column: pl.Series, table: str) -> Finding | None:
    if attribute.values is None:
        return None
    other = ~column.is_in([*attribute.values, "?"])
    if not other.any():
        return None
    return Finding(
        name="undeclared_value",
        place=f'{table} column "{attribute.name}"',
        rule="every value of a nominal attribute must stand in its list",
        found=f"another one in {counted(int(other.sum()), 'cell')}",
        remedy="Correct the cells, or add the value to the @attribute line.",
        rows=tuple(int(i) + 1 for i in other.arg_true()),
    )


def _ragged(table: str, width: int, rows: tuple[int, ...]) -> Finding:
    return Finding(
        name="ragged_rows",
        place=table,
        rule=f"every row must have {width} cells, one per @attribute",
        found=f"more or fewer in {counted(len(rows), 'row')}",
        remedy="Put values that hold a comma between quotation marks.",
        rows=rows,
    )


def _bad_line(table: str, number: int, found: str) -> Finding:
    return Finding(
        "bad_arff", f"{table} line {number}", "must be ARFF in its dense form", f"the line {found}", "Correct the line."
    )


def _nothing(table: str, what: str, found: str) -> Finding:
    return Finding("empty_table", table, f"must hold {what}", found, "Give the right file.")
