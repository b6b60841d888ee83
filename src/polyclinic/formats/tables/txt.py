"""Tables that are called text or data: values between commas, semicolons, tabs or bars, as the rows show."""

from typing import final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TextTable
from polyclinic.formats.text.delimited import read_delimited


@final
class Txt(TextTable):
    """A .txt or .dat file. Its rows tell what stands between the cells."""

    name = ".txt"
    suffixes = (".txt", ".dat")

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells, divided by the one sign that divides all rows alike."""
        return read_delimited(text, reading, table, "\t")
