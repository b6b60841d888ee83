"""Tables of SPSS in its portable form."""

from pathlib import Path
from typing import final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.statistics.labelled import read_labelled
from polyclinic.formats.tables.base import CellFile
from polyclinic.formats.unreadable import unreadable


@final
class SpssPortable(CellFile):
    """A file .por."""

    name = "SPSS portable .por"
    suffixes = (".por",)

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """The table, with its labels for values.

        Raises:
            CohortError: if the file is damaged.
            MissingPackage: if pyreadstat is not installed.
        """
        if not path.read_bytes().rstrip().endswith(b"Z"):
            rule, found = "must be a whole .por file", "it lacks the sign of its end"
            raise unreadable(path.name, rule, found, "Copy it again from its origin.")
        return read_labelled(path, "read_por")
