"""The error for a table that cannot be read."""

from polyclinic.errors import CohortError, Finding


def unreadable(place: str, rule: str, found: str, remedy: str) -> CohortError:
    """The error for a table that cannot be read."""
    return CohortError(Finding("unreadable_table", place, rule, found, remedy))
