"""JSON: a list of records."""

from typing import ClassVar, final

from polyclinic.errors import CohortError
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.base import TextTable
from polyclinic.formats.text.objects import no_json, parse_json, table_of


@final
class Json(TextTable):
    """A .json file that holds a list of records."""

    name = ".json"
    suffixes = (".json",)
    heeds: ClassVar[frozenset[str]] = frozenset()

    def parse(self, text: str, table: str, reading: TableReading) -> TableCells:
        """The records, in the types of their values.

        Raises:
            CohortError: no list, an entry that is no record, nested values, no records.
        """
        records = parse_json(text, table)
        if not isinstance(records, list):
            raise CohortError(no_json(table, "it is no list of records"))
        return table_of(records, table)
