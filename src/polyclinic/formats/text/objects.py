"""A table from records with names and values, as programs exchange them."""

import json
from collections.abc import Sequence
from typing import Any

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.mixed import mixed_cells

_DEEP = "it is nested too deeply"


def parse_json(text: str, place: str) -> Any:
    """The value that a text writes down.

    Raises:
        CohortError: if it is no JSON, a name stands twice in a record, or it is nested without end.
    """
    try:
        return json.loads(text, object_pairs_hook=_record, parse_constant=lambda word: None)
    except RecursionError as error:
        raise CohortError(no_json(place, _DEEP)) from error
    except ValueError as error:
        found = "a name stands twice in a record" if isinstance(error, _TwiceError) else "it is none, or cut off"
        raise CohortError(no_json(place, found)) from error


def table_of(records: Sequence[Any], table: str) -> TableCells:
    """Records as a table: a column for every name, empty where a record lacks it.

    Raises:
        CohortError: if there is none, one is no record, or its cells hold lists or records.
    """
    others = tuple(row for row, record in enumerate(records, 1) if not isinstance(record, dict))
    if others:
        rule, found = (
            "every row must be a record of names and values",
            f"another thing in {counted(len(others), 'row')}",
        )
        remedy = 'Write one patient as {"id": "a1", "age": 54}.'
        raise CohortError(Finding("no_record", table, rule, found, remedy, rows=others))
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        rule, found = "must hold records of patients", "there are none"
        raise CohortError(Finding("empty_table", table, rule, found, "Give the right file."))
    return mixed_cells({name: [record.get(name) for record in records] for name in names}, table)


def no_json(place: str, found: str) -> Finding:
    """The finding for text that is no JSON."""
    return Finding("unreadable_table", place, "must be whole JSON", found, "Write the file again.")


class _TwiceError(ValueError):
    """A name stands twice in a record."""


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _TwiceError
    return record
