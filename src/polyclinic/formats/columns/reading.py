"""How the cells of a table are to be read: what the study file says about numbers, dates and what is not known."""

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
