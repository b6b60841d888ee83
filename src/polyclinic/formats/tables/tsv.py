"""Values between tabs."""

from typing import final

import polars as pl

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TableWriter, TextTable
from polyclinic.formats.text.delimited import read_delimited, write_delimited


@final
class Tsv(TextTable, TableWriter):
    """A .tsv or .tab file."""

    name = ".tsv"
    suffixes = (".tsv", ".tab")

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells, divided by tabs wherever these divide all rows alike."""
        return read_delimited(text, reading, table, "\t")

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table, divided by tabs."""
        return write_delimited(frame, "\t")
