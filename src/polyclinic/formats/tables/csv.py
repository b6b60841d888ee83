"""Values between commas; or between semicolons, tabs or bars, as the rows show."""

from typing import final

import polars as pl

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TableWriter, TextTable
from polyclinic.formats.text.delimited import read_delimited, write_delimited


@final
class Csv(TextTable, TableWriter):
    """A .csv file. Its rows tell what stands between the cells."""

    name = ".csv"
    suffixes = (".csv",)

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells, divided by the one sign that divides all rows alike."""
        return read_delimited(text, reading, table)

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table, divided by commas."""
        return write_delimited(frame, ",")
