"""Reading an event column by the values that a study says mean the event; every other known value means censored."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from polyclinic.cohort.field_words import mentions
from polyclinic.cohort.outcome_coding import Code, cell_meant
from polyclinic.cohort.outcomes import Numbers, nameable, spell, words, yes_no
from polyclinic.errors import Finding, Severity
from polyclinic.study.catalogue import unknown


def read_event(column: pl.Series, occurred: Sequence[Code]) -> Numbers:
    """1 where the event was seen, 0 where not: by ``occurred``, or without it by 0 and 1, or true and false."""
    if not occurred:
        return yes_no(column)
    cells = words(column)
    seen = {cell_meant(code, _held(cells)) for code in occurred}
    value = np.array([np.nan if cell is None else float(cell in seen) for cell in cells], dtype=np.float64)
    return Numbers(value, np.zeros(len(cells), dtype=bool))


def strange_codes(column: pl.Series, occurred: Sequence[Code], place: str) -> list[Finding]:
    """Values that the study names and the column does not hold."""
    cells = words(column)
    strange = [spell(code) for code in occurred if cell_meant(code, _held(cells)) is None]
    return [unknown(place, "value of the event column", code, nameable(cells)) for code in strange]


def doubtful_codes(column: pl.Series, occurred: Sequence[Code], place: str) -> Iterator[Finding]:
    """Codes that may mean something else than the study takes them for."""
    if not occurred and mentions(column.name, "censoring"):
        rule, found = "an event column should say when the event was seen", "its name speaks of censoring"
        remedy = "1 or true is taken as the event: write occurred = 1, or 0 if 1 means censored."
        yield Finding("assumed_event", place, rule, found, remedy, Severity.WARNING)
    held = _held(words(column))
    others = held - {cell_meant(code, held) for code in occurred}
    if occurred and len(others) > 1:
        rule = "who had no event should be censored"
        found = f"{len(others)} different values besides the event count as censored"
        remedy = "If one of them is a competing event, such as another cause of death, risks come out too high."
        yield Finding("competing_events", place, rule, found, remedy, Severity.WARNING)


def _held(cells: Sequence[str | None]) -> set[str]:
    return {cell for cell in cells if cell is not None}
