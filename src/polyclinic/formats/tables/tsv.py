"""Values between tabs."""

from typing import final

import polars as pl

from polyclinic.formats.tables.base import TableWriter, TextTable
from polyclinic.formats.text.delimited import Strings, read_delimited, write_delimited


@final
class Tsv(TextTable, TableWriter):
    """A .tsv file."""

    name = ".tsv"
    suffixes = (".tsv",)

    def parse(self, text: str, table: str) -> Strings:
        """The cells, divided by tabs."""
        return read_delimited(text, "\t", table)

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table, divided by tabs."""
        return write_delimited(frame, "\t")
