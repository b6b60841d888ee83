"""Workbooks of LibreOffice and OpenOffice."""

from pathlib import Path
from typing import ClassVar, final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.sheets.office_zip import refuse_vast_ods
from polyclinic.formats.sheets.outline import sheet_table
from polyclinic.formats.sheets.workbook import read_sheet
from polyclinic.formats.tables.base import CellFile


@final
class Ods(CellFile):
    """An .ods file."""

    name = ".ods"
    suffixes = (".ods",)
    in_parts = True
    heeds: ClassVar[frozenset[str]] = frozenset({"header"})

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One sheet, its formulas by the results that were stored.

        Raises:
            CohortError: damaged, encrypted, vast, no telling which sheet, no table in it.
            MissingPackage: python-calamine is not installed.
        """
        refuse_vast_ods(path)
        return sheet_table(read_sheet(path, part, {}), reading.header, path.name)
