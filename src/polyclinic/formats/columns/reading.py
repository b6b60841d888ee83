"""How a table is to be read: what the study file says about its layout, its numbers, dates, and what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from polyclinic.study.schema import CohortSection, ColumnSection

MISSING_VALUES: tuple[str, ...] = CohortSection.model_fields["missing_values"].default


@dataclass(frozen=True)
class ColumnUses:
    """What columns are for, as far as it says how their cells are to be read.

    Attributes:
        words: Columns whose very text counts, because it names somebody or something: patients, sites, classes,
            categories, files, sentences. They become numbers only where that loses nothing.
        texts: Columns of texts: they stand as given to the last blank, for offsets may be counted in them.
        groups: Columns that may be measures or names of groups: names where few different ones occur.
        numbers: Columns that hold numbers.
        learned: Whether a trained model asks: numbers must then be in the unit that it was trained on.
    """

    words: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    learned: bool = False


_ANY_USE = ColumnUses()


@dataclass(frozen=True)
class CellReading:
    """What the user says about the cells of a table of text.

    Attributes:
        missing_values: Cells that mean "not known".
        decimal: The sign before the decimals of a number, "." or ","; None = not said.
        thousands: The sign between thousands, such as "," or "."; None = none.
        date_format: How dates are written, such as "%d/%m/%Y"; None = not said.
        columns: The same for single columns, by their names.
        uses: What columns are for.
    """

    missing_values: tuple[str, ...] = MISSING_VALUES
    decimal: str | None = None
    thousands: str | None = None
    date_format: str | None = None
    columns: Mapping[str, ColumnSection] = field(default_factory=dict)
    uses: ColumnUses = _ANY_USE

    def of(self, column: str) -> ColumnSection:
        """What is said about one column: by itself, by what it is for, or for all columns."""
        said = self.columns.get(column, ColumnSection())
        number = said.type is None and column in self.uses.numbers
        return said.model_copy(
            update={
                "type": "number" if number else said.type,
                "decimal": said.decimal or self.decimal,
                "thousands": said.thousands or self.thousands,
                "date_format": said.date_format or self.date_format,
                "unit": "" if self.uses.learned and column in self.uses.numbers and said.unit is None else said.unit,
            }
        )


@dataclass(frozen=True)
class TableReading:
    """What the user says about a table beside where it lies.

    Attributes:
        encoding: Of a table of text.
        separator: The sign between cells of text; None = to be found.
        header: Line with the names of the columns, the first is 1; None = to be found.
        query: The rows of a database as a SELECT; None = a whole table.
        cells: How cells of text are read.
    """

    encoding: str = "utf-8"
    separator: str | None = None
    header: int | None = None
    query: str | None = None
    cells: CellReading = CellReading()


def table_reading(section: CohortSection, uses: ColumnUses = _ANY_USE) -> TableReading:
    """What the section [cohort] says about how its table is read, and what its columns are for."""
    said = (section.missing_values, section.decimal, section.thousands, section.date_format)
    cells = CellReading(*said, section.columns, uses)
    return TableReading(section.encoding, section.separator, section.header, section.query, cells)
