"""DuckDB: a database in one file."""

from pathlib import Path
from typing import Any, ClassVar, final

from polyclinic.errors import MissingPackage
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.databases.choice import chosen_table, failed_query, one_select
from polyclinic.formats.databases.columns import answered
from polyclinic.formats.tables.base import CellFile
from polyclinic.formats.unreadable import unreadable

_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "lock_configuration": True,
    "autoinstall_known_extensions": False,
}
"""A query reaches no other file and no address."""


@final
class DuckDb(CellFile):
    """A .duckdb file, opened to be read only."""

    name = ".duckdb"
    suffixes = (".duckdb", ".ddb")
    in_parts = True
    heeds: ClassVar[frozenset[str]] = frozenset({"query"})

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One table or view, or the rows of the query.

        Raises:
            CohortError: a damaged file, no telling which table, a query that is no SELECT.
            MissingPackage: DuckDB is not installed.
        """
        query = None if reading.query is None else one_select(reading.query, part)
        try:
            import duckdb
        except ImportError as error:
            raise MissingPackage("duckdb", "duckdb", f"reading {path.name}") from error
        try:
            with duckdb.connect(path, read_only=True, config=_CLOSED) as database:
                return _rows(database, part, query, path.name)
        except (duckdb.ProgrammingError, duckdb.PermissionException) as error:
            raise failed_query() from error
        except duckdb.Error as error:
            found = "it is damaged, of another version or open in another program"
            raise unreadable(path.name, "must be a whole DuckDB file", found, "Close it, or copy it again.") from error


def _rows(database: Any, part: str | None, query: str | None, table: str) -> TableCells:
    if query is None:
        listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name"
        tables = [name for (name,) in database.execute(listed).fetchall()]
        quoted = chosen_table(tables, part, table).replace('"', '""')
        query = f'SELECT * FROM "{quoted}"'
    database.execute(query)
    return answered([column[0] for column in database.description], database.fetchall(), table)
