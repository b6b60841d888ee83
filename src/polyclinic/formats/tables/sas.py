"""Tables of SAS."""

from pathlib import Path
from typing import final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.statistics.labelled import read_labelled
from polyclinic.formats.tables.base import CellFile


@final
class Sas(CellFile):
    """A file .sas7bdat."""

    name = "SAS .sas7bdat"
    suffixes = (".sas7bdat",)

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """The table, with its labels for values.

        Raises:
            CohortError: if the file is damaged.
            MissingPackage: if pyreadstat is not installed.
        """
        return read_labelled(path, "read_sas7bdat")
