"""A database that is reached by its address. Its password is never in the study file, and never in what is written."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polyclinic.errors import CohortError, Finding, MissingPackage
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.databases.choice import chosen_table, failed_query, one_select
from polyclinic.formats.databases.columns import answered

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SECRET = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
"""What each database is told first, so that it refuses changes itself."""


@dataclass(frozen=True)
class Database:
    """One database.

    Attributes:
        name: Its address for messages: without user, password and options.
        url: Its address with the password from the environment; shown nowhere.
    """

    name: str
    url: str = field(repr=False)

    @classmethod
    def named(cls, stated: str, place: str) -> "Database":
        """The database of an address whose secrets are names of environment variables, such as ``${STUDY_PASSWORD}``.

        Raises:
            CohortError: a secret stands in the address, or a variable is not set.
        """
        name = _public(stated)
        if _tells_secret(stated):
            raise CohortError(_secret(place, name))
        absent = [variable for variable in _VARIABLE.findall(stated) if variable not in os.environ]
        if absent:
            raise CohortError(_unset(place, name, absent))
        return cls(name, _VARIABLE.sub(lambda found: quote(os.environ[found[1]], safe=""), stated))

    def content(self, part: str | None, reading: TableReading) -> TableCells:
        """The rows of one table, or of the query of the study. Nothing is changed, and all is rolled back.

        Raises:
            CohortError: the database cannot be reached, it is open which table is meant, or it refuses the query.
            MissingPackage: SQLAlchemy is not installed.
        """
        query = None if reading.query is None else one_select(reading.query, part)
        try:
            import sqlalchemy as sql
        except ImportError as error:
            raise MissingPackage("SQLAlchemy", "sql", "reading from a database") from error
        # What these errors say may hold the address with its password: no cause travels on.
        try:
            url = sql.make_url(self.url)
            engine = sql.create_engine(url, poolclass=sql.NullPool)
        except ImportError as error:
            raise CohortError(_no_driver(self.name, error.name or "of this database")) from None
        except (sql.exc.SQLAlchemyError, ValueError, TypeError):
            raise CohortError(_unreachable(self.name, "there is no such kind of database")) from None
        if _lacks_file(url):
            raise CohortError(_unreachable(self.name, "there is no such file"))
        try:
            with engine.connect() as connection:
                return self._rows(sql, connection, part, query)
        except sql.exc.ProgrammingError:
            raise failed_query() from None
        except sql.exc.SQLAlchemyError:
            raise CohortError(_unreachable(self.name, "it does not answer, or not to this user")) from None

    def _rows(self, sql: Any, connection: Any, part: str | None, query: str | None) -> TableCells:
        first = _READ_ONLY.get(connection.dialect.name)
        if first is not None:
            connection.execute(sql.text(first))
        if query is None:
            schema, _, table = (part or "").rpartition(".")
            look = sql.inspect(connection)
            there = [*look.get_table_names(schema or None), *look.get_view_names(schema or None)]
            chosen = sql.table(chosen_table(sorted(there), table or None, self.name), schema=schema or None)
            statement = sql.select(sql.text("*")).select_from(chosen)
        else:
            statement = sql.text(query.replace(":", r"\:"))
        try:
            result = connection.execute(statement)
        except sql.exc.OperationalError:
            raise failed_query() from None
        rows = answered(list(result.keys()), [tuple(row) for row in result], self.name)
        connection.rollback()
        return rows


def _lacks_file(url: Any) -> bool:
    """Whether the file of a SQLite database is not there: SQLite would make an empty one."""
    named = url.database and url.database != ":memory:" and not url.database.startswith("file:")
    return bool(url.get_backend_name() == "sqlite" and named and not Path(url.database).is_file())


def _public(stated: str) -> str:
    """The address without user, password and options."""
    kind, _, rest = stated.partition("://")
    return f"{kind.partition('+')[0]}://{rest.partition('?')[0].rpartition('@')[2]}"


def _tells_secret(stated: str) -> bool:
    """Whether a password stands in the address itself."""
    address, _, options = stated.partition("://")[2].partition("?")
    secrets = [address.rpartition("@")[0].partition(":")[2]]
    for option in options.split("&"):
        key, _, value = option.partition("=")
        secrets += [value] if _SECRET.search(key) else []
    return any(secret and not _VARIABLE.fullmatch(secret) for secret in secrets)


def _secret(place: str, name: str) -> Finding:
    return Finding(
        name="password_in_study",
        place=place,
        rule=f"the address of {name} must hold no password",
        found="there is one",
        remedy="Write ${STUDY_PASSWORD} in its place, set the environment variable STUDY_PASSWORD, and change the "
        "password, for the file may have been copied.",
    )


def _unset(place: str, name: str, absent: list[str]) -> Finding:
    rule = f"the variables in the address of {name} must be set in the environment"
    return Finding("unset_variable", place, rule, f"{', '.join(absent)} is not", "Set it before the command.")


def _no_driver(name: str, package: str) -> Finding:
    rule, found = "needs the package that speaks to this kind of database", f"{package} is not installed"
    return Finding("missing_driver", name, rule, found, f"Install it: pip install {package}.")


def _unreachable(name: str, found: str) -> Finding:
    return Finding("unreachable_database", name, "must answer", found, "Check address, network, user and rights.")
