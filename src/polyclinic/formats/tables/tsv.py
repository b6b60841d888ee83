"""Values between tabs."""

from typing import final

from polyclinic.formats.tables.base import TextTable
from polyclinic.formats.text.delimited import Strings, read_delimited


@final
class Tsv(TextTable):
    """A .tsv file."""

    name = ".tsv"
    suffixes = (".tsv",)

    def parse(self, text: str, table: str) -> Strings:
        """The cells, divided by tabs."""
        return read_delimited(text, "\t", table)
