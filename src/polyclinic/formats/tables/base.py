"""What a format of tables gives: text of cells that are typed later, or columns whose types stand in the file."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, final

import polars as pl

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.base import Format, formats_of
from polyclinic.formats.text.delimited import Strings


class TableFormat(Format):
    """A format of tables. A table is recognised by its name: text tables have no mark by which one could be told.

    Attributes:
        in_folders: Whether a folder of such files is one table too.
    """

    in_folders: ClassVar[bool] = False

    @final
    def recognises(self, path: Path, start: bytes) -> bool:
        """Whether the name ends as one of this format does."""
        return path.suffix.lower() in self.suffixes


class TextTable(TableFormat):
    """A table that is text. It may lie in a .gz or .zip, in any encoding; its columns are typed once all is read."""

    @abstractmethod
    def parse(self, text: str, table: str) -> Strings:
        """The cells of a table.

        Args:
            text: The whole file, line ends as one character.
            table: The user's word for the table, for messages.

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


class TableWriter(TableFormat):
    """A format in which tables can be written too."""

    @abstractmethod
    def write(self, frame: pl.DataFrame) -> bytes:
        """The content of a file; columns of lists are left out where the format has no lists."""


def table_formats() -> tuple[TableFormat, ...]:
    """All formats of tables, in the order of their names."""
    return tuple(known for known in formats_of("formats.tables") if isinstance(known, TableFormat))


def unreadable(place: str, rule: str, found: str, remedy: str) -> CohortError:
    """The error for a table that cannot be read."""
    return CohortError(Finding("unreadable_table", place, rule, found, remedy))
