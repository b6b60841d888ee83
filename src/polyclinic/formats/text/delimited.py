"""Values between separators: every cell as text first, after a check that all records have the same number of cells."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Int

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import counted, shorten

_NEWLINE, _QUOTE = ord("\n"), ord('"')


@dataclass(frozen=True)
class Strings:
    """A table as text.

    Attributes:
        frame: Columns of strings; an empty cell may be null.
        notes: What the user should know about how it was read.
    """

    frame: pl.DataFrame
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Records:
    """Where the records lie in the bytes, and how many cells each has; blank lines are gone."""

    start: Int[np.ndarray, " record"]
    end: Int[np.ndarray, " record"]
    cells: Int[np.ndarray, " record"]


def read_delimited(text: str, separator: str, table: str) -> Strings:
    """A table as strings: one record a line, cells divided by ``separator``, unless they stand in quotation marks.

    Raises:
        CohortError: empty table, header only, duplicate or ragged rows, an unclosed quotation mark.
    """
    if not text.strip():
        rule = "must hold a header and rows"
        raise CohortError(Finding("empty_table", table, rule, "the file is empty", "Give the right file."))
    content = text.encode()
    records = _records(np.frombuffer(content, dtype=np.uint8), ord(separator), table)
    header, notes = _header(content[records.start[0] : records.end[0]].decode(), separator, table)
    _refuse_ragged(records, len(header), table)
    return Strings(_parse(content, records, header, separator, table), notes)


def write_delimited(frame: pl.DataFrame, separator: str) -> bytes:
    """A table as text in UTF-8, without its columns of lists, which text has no form for."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.drop(lists).write_csv(separator=separator).encode()


def _records(content: np.ndarray, separator: int, table: str) -> _Records:
    """Records and their numbers of cells, counting only signs outside quotation marks."""
    marks = np.flatnonzero((content == _NEWLINE) | (content == separator) | (content == _QUOTE))
    signs = content[marks]
    quote = signs == _QUOTE
    inside = np.cumsum(quote) % 2 == 1 if quote.any() else quote
    if len(inside) and inside[-1]:
        raise CohortError(_unclosed(table))
    breaks = marks[(signs == _NEWLINE) & ~inside]
    start = np.concatenate([[0], breaks + 1])
    end = np.concatenate([breaks, [len(content)]])
    separators = marks[(signs == separator) & ~inside]
    cells = np.searchsorted(separators, end) - np.searchsorted(separators, start) + 1
    filled = end > start
    return _Records(start[filled], end[filled], cells[filled])


def _header(line: str, separator: str, table: str) -> tuple[list[str], tuple[Finding, ...]]:
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except csv.Error as error:
        raise CohortError(_unclosed(table)) from error
    names = [cell or f"column_{number}" for number, cell in enumerate(cells, 1)]
    refuse_duplicates(names, table)
    notes = [_unnamed(table, cells.count(""))] if "" in cells else []
    if all(_is_number(name) for name in names):
        notes.append(_numbers_as_header(table))
    return names, tuple(notes)


def refuse_duplicates(names: list[str], table: str) -> None:
    """Raise if two columns have the same name."""
    twice = sorted(name for name, many in Counter(names).items() if many > 1)
    if not twice:
        return
    columns = [number for number, name in enumerate(names, 1) if name in twice]
    raise CohortError(
        Finding(
            name="duplicate_header",
            place=table,
            rule="every column must have a name of its own",
            found=f"these stand twice or more: {shorten(twice, 5)} "
            f"(columns {', '.join(map(str, columns[:8]))}{' ...' if len(columns) > 8 else ''})",
            remedy="Rename the columns, or leave the copies out.",
        )
    )


def _refuse_ragged(records: _Records, width: int, table: str) -> None:
    if len(records.cells) == 1:
        found = "there is a header and nothing else"
        raise CohortError(Finding("empty_table", table, "must hold rows of patients", found, "Give the right file."))
    ragged = np.flatnonzero(records.cells[1:] != width) + 1
    if not len(ragged):
        return
    seen = records.cells[ragged]
    raise CohortError(
        Finding(
            name="ragged_rows",
            place=table,
            rule=f"every row must have {width} cells, as the header has",
            found=f"between {seen.min()} and {seen.max()} in {counted(len(ragged), 'row')}",
            remedy="Look for a separator or a quotation mark inside a cell; put such cells between quotation marks.",
            rows=tuple(int(row) for row in ragged),
        )
    )


def _parse(content: bytes, records: _Records, header: list[str], separator: str, table: str) -> pl.DataFrame:
    rows = len(records.start) - 1
    body = content[records.start[1] :]
    if int((records.end[1:] - records.start[1:] + 1).sum()) < len(body):  # blank lines in between
        body = b"\n".join(content[a:b] for a, b in zip(records.start[1:], records.end[1:], strict=True))
    try:
        frame = pl.read_csv(
            io.BytesIO(body), has_header=False, new_columns=header, separator=separator, infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        raise CohortError(_unclosed(table)) from error
    if frame.shape != (rows, len(header)):
        raise CohortError(_unclosed(table))
    return frame


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _unclosed(table: str) -> Finding:
    return Finding(
        name="unclosed_quotation",
        place=table,
        rule="quotation marks must stand in pairs around a cell",
        found="one is opened and not closed, or stands alone inside a cell",
        remedy='Write a quotation mark inside a cell twice ("") and put the cell between quotation marks.',
    )


def _unnamed(table: str, many: int) -> Finding:
    return Finding(
        name="unnamed_column",
        place=table,
        rule="every column should have a name",
        found=f"none for {counted(many, 'column')}",
        remedy="They are called column_<number> here.",
        severity=Severity.NOTE,
    )


def _numbers_as_header(table: str) -> Finding:
    return Finding(
        name="numbers_as_header",
        place=table,
        rule="the first line should hold the names of the columns",
        found="it holds numbers only, so it may be a patient",
        remedy="Add a line of names if it is.",
        severity=Severity.WARNING,
    )
