"""SQLite: a database in one file.

Source: "Uniform Resource Identifiers" and "Write-Ahead Logging" of the SQLite documentation (``mode=ro``,
``immutable=1``; what is not yet in the file stands in the file ``-wal`` beside it).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar, final

from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.databases.choice import chosen_table, failed_query, one_select
from polyclinic.formats.databases.columns import answered
from polyclinic.formats.tables.base import CellFile
from polyclinic.formats.unreadable import unreadable

_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"


@final
class Sqlite(CellFile):
    """A .sqlite file, opened so that nothing in it can change."""

    name = ".sqlite"
    suffixes = (".sqlite", ".sqlite3", ".db", ".db3")
    in_parts = True
    heeds: ClassVar[frozenset[str]] = frozenset({"query"})

    def content(self, path: Path, part: str | None, reading: TableReading) -> TableCells:
        """One table or view, or the rows of the query.

        Raises:
            CohortError: a damaged file, one that is being written, no telling which table, a query that is no SELECT.
        """
        query = None if reading.query is None else one_select(reading.query, part)
        _refuse_unfinished(path)
        with _opened(path) as database:
            if query is None:
                tables = [name for (name,) in database.execute(_TABLES)]
                quoted = chosen_table(tables, part, path.name).replace('"', '""')
                query = f'SELECT * FROM "{quoted}"'
            cursor = _asked(database, query)
            return answered([column[0] for column in cursor.description], cursor.fetchall(), path.name)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY)
            yield database
    except (sqlite3.Error, UnicodeDecodeError) as error:
        found = "it is damaged, encrypted or of another format"
        raise unreadable(path.name, "must be a whole SQLite file", found, "Copy it again from its origin.") from error


def _asked(database: sqlite3.Connection, query: str) -> sqlite3.Cursor:
    try:
        return database.execute(query)
    except sqlite3.OperationalError as error:
        raise failed_query() from error


def _refuse_unfinished(path: Path) -> None:
    journals = [path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal")]
    if any(journal.is_file() and journal.stat().st_size for journal in journals):
        rule = "a database must hold all that was written"
        found = "some of it still stands in a file -wal or -journal beside it"
        raise unreadable(path.name, rule, found, "Close the program that writes it.")
