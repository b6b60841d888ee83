"""Values between commas; or between semicolons or tabs, as the header shows."""

from typing import final

import polars as pl

from polyclinic.formats.tables.base import TableWriter, TextTable
from polyclinic.formats.text.delimited import Strings, read_delimited, write_delimited


@final
class Csv(TextTable, TableWriter):
    """A .csv file. Its header tells what stands between the cells."""

    name = ".csv"
    suffixes = (".csv",)

    def parse(self, text: str, table: str) -> Strings:
        """The cells; a comma divides them unless the header has none and holds a semicolon or a tab."""
        header = text.lstrip("\n").split("\n", 1)[0]
        return read_delimited(text, next((sign for sign in ",;\t" if sign in header), ","), table)

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table, divided by commas."""
        return write_delimited(frame, ",")
