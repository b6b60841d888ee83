"""The answer of a database as a table."""

from collections.abc import Sequence
from typing import Any

from polyclinic.formats.columns.headers import TableCells, named
from polyclinic.formats.columns.mixed import mixed_cells


def answered(names: Sequence[str], rows: Sequence[Sequence[Any]], table: str) -> TableCells:
    """The rows as columns, typed as the database has them.

    Raises:
        CohortError: if two columns have the same name, or cells hold lists or records.
    """
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return mixed_cells(dict(zip(named(names, table), columns, strict=True)), table)
