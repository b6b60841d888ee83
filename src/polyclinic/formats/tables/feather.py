"""Arrow tables in a file, which were called Feather."""

from pathlib import Path
from typing import final

import polars as pl

from polyclinic.formats.tables.base import TypedFile


@final
class Feather(TypedFile):
    """A .feather file, version 2: the same as Arrow's IPC file."""

    name = ".feather"
    suffixes = (".feather", ".arrow", ".ipc")

    def frame(self, path: Path) -> pl.DataFrame:
        """The table."""
        return pl.read_ipc(path)
