"""Tables of SAS for transport.

Source: SAS technical note TS-140, "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (records of 80
bytes).
"""

from pathlib import Path
from typing import final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.statistics.labelled import read_labelled
from polyclinic.formats.tables.base import CellFile
from polyclinic.formats.unreadable import unreadable

_RECORD = 80
"""Bytes of each record; a file that ends within one is cut off."""


@final
class SasTransport(CellFile):
    """A file .xpt."""

    name = "SAS transport .xpt"
    suffixes = (".xpt",)

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """The table, with its labels for values.

        Raises:
            CohortError: if the file is damaged.
            MissingPackage: if pyreadstat is not installed.
        """
        if path.stat().st_size % _RECORD:
            rule, found = "must be a whole .xpt file", "it ends within a record"
            raise unreadable(path.name, rule, found, "Copy it again from its origin.")
        return read_labelled(path, "read_xport")
