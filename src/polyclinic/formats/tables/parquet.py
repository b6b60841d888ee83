"""Apache Parquet, a file or a folder of files."""

from pathlib import Path
from typing import final

import polars as pl

from polyclinic.formats.tables.base import TypedFile


@final
class Parquet(TypedFile):
    """A .parquet file. Signs such as * in its name, or = in its folders', mean nothing."""

    name = ".parquet"
    suffixes = (".parquet",)
    in_folders = True

    def frame(self, path: Path) -> pl.DataFrame:
        """The table."""
        return pl.read_parquet(path, glob=False, hive_partitioning=False)
