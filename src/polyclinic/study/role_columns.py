"""Columns that say who, where, when and for what a row is."""

from polyclinic.study.schema import Study


def role_columns(study: Study) -> tuple[str, ...]:
    """Patient, site, date, and what divides the rows: never an input of their own accord."""
    cohort, split = study.cohort, study.split
    group = split.by.removeprefix("group:") if split.by.startswith("group:") else None
    named = (cohort.patient, cohort.site, cohort.date, *split.given_columns, group)
    return tuple(dict.fromkeys(name for name in named if name is not None))
