"""What a format of tables gives: text that is typed later, columns whose types stand in the file, or cells that do."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, final

import polars as pl

from polyclinic.formats.base import Format, formats_of
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading


class TableFormat(Format):
    """A format of tables. A table is recognised by its name: text tables have no mark by which one could be told.

    Attributes:
        in_folders: Whether a folder of such files is one table too.
        in_parts: Whether a file may hold several tables, such as sheets, of which the study names one.
        heeds: The keys of [cohort] that say how such a file is laid out: separator, header, query.
    """

    in_folders: ClassVar[bool] = False
    in_parts: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = frozenset()

    @final
    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the name ends as one of this format does."""
        return path.suffix.lower() in self.suffixes


class TextTable(TableFormat):
    """A table that is text. It may lie in a .gz or .zip, in any encoding; its columns are typed once all is read."""

    heeds = frozenset({"separator", "header"})

    @abstractmethod
    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The cells of a table.

        Args:
            text: The whole file, line ends as one character.
            table: The user's word for the table, for messages.
            reading: What the user says about separator and header.

        Raises:
            CohortError: no columns or rows, or rows of different length.
        """


class TypedFile(TableFormat):
    """A table whose types stand in the file."""

    @abstractmethod
    def frame(self, path: Path) -> pl.DataFrame:
        """The table, in the types of the file.

        Raises:
            CohortError, OSError, pl.exceptions.PolarsError: if it is damaged.
        """


class CellFile(TableFormat):
    """A file whose cells each have a type, so that a column may hold several; it may hold several tables."""

    @abstractmethod
    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One table of the file.

        Args:
            path: The file.
            part: The name of the sheet or table; None = the only one.
            reading: What the user says about header or query.

        Raises:
            CohortError: if the file is damaged, or it is open which of its tables is meant.
            MissingPackage: if the package that reads such files is not installed.
        """


class TableWriter(TableFormat):
    """A format in which tables can be written too."""

    @abstractmethod
    def write(self, frame: pl.DataFrame) -> bytes:
        """The content of a file; columns of lists are left out where the format has no lists."""


def table_formats() -> tuple[TableFormat, ...]:
    """All formats of tables, in the order of their names."""
    return tuple(known for known in formats_of("formats.tables") if isinstance(known, TableFormat))
