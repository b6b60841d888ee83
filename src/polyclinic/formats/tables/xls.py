"""Workbooks of Excel before 2007."""

from pathlib import Path
from typing import ClassVar, final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.sheets.outline import sheet_table
from polyclinic.formats.sheets.workbook import read_sheet
from polyclinic.formats.tables.base import CellFile


@final
class Xls(CellFile):
    """An .xls file. Its errors and hidden rows cannot be told: cells with errors are empty."""

    name = ".xls"
    suffixes = (".xls",)
    in_parts = True
    heeds: ClassVar[frozenset[str]] = frozenset({"header"})

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One sheet, its formulas by the results that were stored.

        Raises:
            CohortError: damaged, encrypted, no telling which sheet, no table in it.
            MissingPackage: python-calamine is not installed.
        """
        return sheet_table(read_sheet(path, part, {}), reading.header, path.name)
