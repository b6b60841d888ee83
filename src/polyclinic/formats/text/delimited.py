"""Values between separators: every cell as text first, after a check that all records have the same number of cells."""

import io

import numpy as np
import polars as pl

from polyclinic.errors import CohortError, Finding, Severity
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.headers import TableCells, named, without_index
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.text.layout import find_layout
from polyclinic.formats.text.records import TextRecords, find_records, is_number, unclosed


def read_delimited(text: str, reading: TableReading, table: str, usual: str = ",") -> TableCells:
    """A table as text: one record a line, cells between separators, unless they stand in quotation marks.

    Args:
        text: The whole file.
        reading: What the user says about separator and header; what is not said is found from the text.
        table: The user's word for the table.
        usual: The separator that the name of the file promises.

    Raises:
        CohortError: empty table, header only, duplicate or ragged rows, an unclosed quotation mark, no telling what the
            separator is.
    """
    if not text.strip():
        rule = "must hold a header and rows"
        raise CohortError(Finding("empty_table", table, rule, "the file is empty", "Give the right file."))
    layout = find_layout(text, reading, table, usual)
    content = layout.text.encode()
    records = find_records(content, layout.separator, table)
    first = records.header(content, layout.separator) if reading.header is None else 0
    records = records.rest(first or 0)
    names, notes = _header(content, records, layout.separator, table)
    _refuse_ragged(records, len(names), table)
    frame = _parse(content, records, named(names, table), layout.separator, table)
    titles = [_titles(table, first)] if first else []
    return without_index(TableCells(frame, (*titles, *notes)), names, table)


def write_delimited(frame: pl.DataFrame, separator: str) -> bytes:
    """A table as text in UTF-8, without its columns of lists, which text has no form for."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.drop(lists).write_csv(separator=separator).encode()


def _header(content: bytes, records: TextRecords, separator: str, table: str) -> tuple[list[str], tuple[Finding, ...]]:
    """The names that stand in the first record, "" where there is none, and whether they are doubtful."""
    names = records.split(content, 0, separator)
    if not names:
        raise CohortError(unclosed(table))
    if len(records.cells) > 1 and records.ends_in_separators(content, len(names), separator):
        names.append("")
    return names, (_numbers_as_header(table),) if all(is_number(name) for name in names) else ()


def _refuse_ragged(records: TextRecords, width: int, table: str) -> None:
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


def _parse(content: bytes, records: TextRecords, header: list[str], separator: str, table: str) -> pl.DataFrame:
    rows = len(records.start) - 1
    body = content[records.start[1] :]
    if int((records.end[1:] - records.start[1:] + 1).sum()) < len(body):  # blank lines in between
        body = b"\n".join(content[a:b] for a, b in zip(records.start[1:], records.end[1:], strict=True))
    try:
        frame = pl.read_csv(
            io.BytesIO(body), has_header=False, new_columns=header, separator=separator, infer_schema=False
        )
    except pl.exceptions.PolarsError as error:
        raise CohortError(unclosed(table)) from error
    if frame.shape != (rows, len(header)):
        raise CohortError(unclosed(table))
    return frame


def _titles(table: str, many: int) -> Finding:
    rule, found = "the first line should hold the names of the columns", f"{counted(many, 'line')} above it"
    remedy = "They are left out; name the line with header under [cohort] if that is wrong."
    return Finding("title_lines", table, rule, found, remedy, Severity.NOTE)


def _numbers_as_header(table: str) -> Finding:
    return Finding(
        name="numbers_as_header",
        place=table,
        rule="the first line should hold the names of the columns",
        found="it holds numbers only, so it may be a patient",
        remedy="Add a line of names if it is.",
        severity=Severity.WARNING,
    )
