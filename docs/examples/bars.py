"""Values between vertical bars, as hospital information systems like to export them."""

from typing import final

import polars as pl

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TableWriter, TextTable
from polyclinic.formats.text.delimited import read_delimited, write_delimited


@final
class Bars(TextTable, TableWriter):
    """A .psv file; as text, it may also lie in a .gz or .zip, in any encoding."""

    name = ".psv"
    suffixes = (".psv",)

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells, divided by bars."""
        return read_delimited(text, reading, table, "|")

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table, divided by bars."""
        return write_delimited(frame, "|")
