"""How a table is to be read: what the study file says about its layout, its numbers, dates, and what is not known."""

from dataclasses import dataclass

from polyclinic.study.schema import CohortSection

MISSING_VALUES: tuple[str, ...] = CohortSection.model_fields["missing_values"].default


@dataclass(frozen=True)
class CellReading:
    """What the user says about the cells of a table of text.

    Attributes:
        missing_values: Cells that mean "not known".
        decimal: The sign before the decimals of a number, "." or ","; None = not said.
        thousands: The sign between thousands, such as "," or "."; None = none.
        date_format: How dates are written, such as "%d/%m/%Y"; None = not said.
    """

    missing_values: tuple[str, ...] = MISSING_VALUES
    decimal: str | None = None
    thousands: str | None = None
    date_format: str | None = None


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


def table_reading(section: CohortSection) -> TableReading:
    """What the section [cohort] says about how its table is read."""
    cells = CellReading(section.missing_values, section.decimal, section.thousands, section.date_format)
    return TableReading(section.encoding, section.separator, section.header, section.query, cells)
