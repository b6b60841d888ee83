"""Apache Parquet, a file or a folder of files."""

from io import BytesIO
from pathlib import Path
from typing import final

import polars as pl

from polyclinic.formats.tables.base import TableWriter, TypedFile


@final
class Parquet(TypedFile, TableWriter):
    """A .parquet file. Signs such as * in its name, or = in its folders', mean nothing."""

    name = ".parquet"
    suffixes = (".parquet",)
    in_folders = True

    def frame(self, path: Path) -> pl.DataFrame:
        """The table."""
        return pl.read_parquet(path, glob=False, hive_partitioning=False)

    def write(self, frame: pl.DataFrame) -> bytes:
        """The table with its types."""
        content = BytesIO()
        frame.write_parquet(content)
        return content.getvalue()
