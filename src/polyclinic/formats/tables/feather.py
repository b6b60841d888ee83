"""Arrow tables in a file, which were called Feather."""

from io import BytesIO
from pathlib import Path
from typing import final

import polars as pl

from polyclinic.formats.tables.base import TableWriter, TypedFile


@final
class Feather(TypedFile, TableWriter):
    """A .feather file, version 2: the same as Arrow's IPC file."""

    name = ".feather"
    suffixes = (".feather", ".arrow", ".ipc")

    def frame(self, path: Path) -> pl.DataFrame:
        """The table."""
        return pl.read_ipc(path)

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table with its types."""
        content = BytesIO()
        frame.write_ipc(content)
        return content.getvalue()
