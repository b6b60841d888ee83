"""Workbooks of Excel since 2007."""

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, final

import polars as pl

from polyclinic.errors import MissingPackage
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.sheets.office_zip import xlsx_marks
from polyclinic.formats.sheets.outline import sheet_table
from polyclinic.formats.sheets.workbook import read_sheet
from polyclinic.formats.tables.base import CellFile, TableWriter

_BIRTH = dt.datetime(1980, 1, 1)
"""When every workbook that is written here says it was made: the same table gives the same bytes."""

_FIRST_YEAR = 1900
"""The year in which workbooks begin to count days, and which they think a leap year: older days stay text."""


@final
class Xlsx(CellFile, TableWriter):
    """An .xlsx file, or one with macros, which are not run."""

    name = ".xlsx"
    suffixes = (".xlsx", ".xlsm")
    in_parts = True
    heeds: ClassVar[frozenset[str]] = frozenset({"header"})

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One sheet, its formulas by the results that were stored.

        Raises:
            CohortError: damaged, encrypted, vast, no telling which sheet, no table in it.
            MissingPackage: python-calamine is not installed.
        """
        return sheet_table(read_sheet(path, part, xlsx_marks(path)), reading.header, path.name)

    def write(self, frame: pl.DataFrame) -> bytes:
        """One sheet; text stays text, even where it looks like a number or a formula."""
        try:
            import xlsxwriter
        except ImportError as error:
            raise MissingPackage("XlsxWriter", "office", "writing a workbook") from error
        content = BytesIO()
        with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
            book.set_properties({"created": _BIRTH})
            day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
            sheet = book.add_worksheet("table")
            lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
            for at, column in enumerate(frame.drop(lists)):
                sheet.write_string(0, at, column.name)
                for row, value in enumerate(column, 1):
                    _write(sheet, (row, at), value, day if column.dtype == pl.Date else moment)
        return content.getvalue()


def _write(sheet: Any, place: tuple[int, int], value: object, form: Any) -> None:
    """One cell. What a workbook has no form for stays text: days before it counts, numbers that are none."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*place, value)
    elif isinstance(value, (int, float)) and value == value and abs(value) != float("inf"):
        sheet.write_number(*place, value)
    elif isinstance(value, dt.date) and value.year > _FIRST_YEAR:
        sheet.write_datetime(*place, value, form)
    else:
        sheet.write_string(*place, str(value))
