"""JSON lines: one record a line."""

from typing import ClassVar, final

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TextTable
from polyclinic.formats.text.objects import parse_json, table_of

_LONGEST = 2**24
"""Signs of a line: a patient of 16 million signs is no row of a table."""


@final
class JsonLines(TextTable):
    """A .jsonl or .ndjson file."""

    name = ".jsonl"
    suffixes = (".jsonl", ".ndjson")
    heeds: ClassVar[frozenset[str]] = frozenset()

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The records, in the types of their values.

        Raises:
            CohortError: a line that is no record or too long, nested values, no records.
        """
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        long = [number for number, line in lines if len(line) > _LONGEST]
        if long:
            rule, found = f"a line must be one patient, of at most {_LONGEST:,} signs", "it is longer"
            raise CohortError(Finding("long_line", f"{table} line {long[0]}", rule, found, "Give a table of patients."))
        return table_of([parse_json(line, f"{table} line {number}") for number, line in lines], table)
