"""Which rows of a database are meant: one table by its name, or one SELECT; nothing that could change anything."""

import re
from collections.abc import Sequence

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import counted, shorten

_PLACE = "[cohort] query"
# Text, names between quotation marks and comments: a word in there does nothing.
_QUIET = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES = {
    *("insert", "update", "delete", "merge", "replace", "drop", "alter", "create", "truncate", "grant", "revoke"),
    *("call", "exec", "execute", "copy", "into", "attach", "detach", "pragma", "install", "load", "export", "import"),
}
"""Words of statements that change something, or reach out of the database."""

_MOST_ADDRESSES = 4
"""So many are written out in a remedy; a round number."""


def chosen_table(tables: Sequence[str], part: str | None, place: str) -> str:
    """The table that the study names, or the only one.

    Raises:
        CohortError: there is no such table, or it is open which one is meant.
    """
    if part is not None and part in tables:
        return part
    if part is None and len(tables) == 1:
        return tables[0]
    found = f'there is no table "{part}"' if part is not None else f"there are {counted(len(tables), 'table')}"
    raise CohortError(
        Finding(
            name="one_table",
            place=place,
            rule='the study must name one table after "#", or give a query under [cohort]',
            found=f"{found} ({shorten(tables) or 'none'})",
            remedy=f"Write # and its name: {_addresses(tables, place)}." if tables else "Give the right database.",
        )
    )


def _addresses(tables: Sequence[str], place: str) -> str:
    """How each table is written behind the database; of many the first ones."""
    return " or ".join(f'"{place}#{table}"' for table in tables[:_MOST_ADDRESSES])


def one_select(query: str, part: str | None) -> str:
    """The query, after a look at whether it only reads.

    Raises:
        CohortError: it is not one SELECT, or a table is named too.
    """
    if part is not None:
        raise CohortError(_refused('must be left out, or the name of a table after "#"', "both are there"))
    words = re.findall(r"\w+|;", _QUIET.sub(" ", query.strip().rstrip(";")).lower())
    rule = "must be one SELECT, for a study changes nothing in a database"
    if not words or words[0] not in ("select", "with"):
        raise CohortError(_refused(rule, "it begins with another word"))
    if ";" in words:
        raise CohortError(_refused(rule, "there are several statements"))
    changing = sorted(_CHANGES.intersection(words))
    if changing:
        raise CohortError(_refused(rule, f"the word {changing[0].upper()} stands in it"))
    return query.strip().rstrip(";")


def failed_query() -> CohortError:
    """The error for a query that the database does not take."""
    remedy = "Try it in the database's own program; put names of columns that are words of SQL between quotation marks."
    return CohortError(Finding("failed_query", _PLACE, "must be a SELECT of this database", "it refuses it", remedy))


def _refused(rule: str, found: str) -> Finding:
    return Finding("refused_query", _PLACE, rule, found, 'Write query = "select ... from ..." and no more.')
