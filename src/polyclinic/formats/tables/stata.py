"""Tables of Stata.

Source: "File formats .dta" of the Stata manual (version 117 and later begin and end with a mark; labels stand last).
"""

from pathlib import Path
from typing import final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.statistics.labelled import read_labelled
from polyclinic.formats.tables.base import CellFile
from polyclinic.formats.unreadable import unreadable

_BEGINS, _ENDS = b"<stata_dta>", b"</stata_dta>"


@final
class Stata(CellFile):
    """A file .dta."""

    name = "Stata .dta"
    suffixes = (".dta",)

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """The table, with its labels for values.

        Raises:
            CohortError: if the file is damaged.
            MissingPackage: if pyreadstat is not installed.
        """
        with path.open("rb") as stream:
            marked = stream.read(len(_BEGINS)) == _BEGINS
        if marked and not path.read_bytes().endswith(_ENDS):
            rule, found = "must be a whole .dta file", "it lacks its end, where the labels stand"
            raise unreadable(path.name, rule, found, "Copy it again from its origin.")
        return read_labelled(path, "read_dta")
