"""Reading an event column by the values that a study says mean the event; every other known value means censored."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from polyclinic.cohort.outcome_coding import Code, cell_meant, says_who_was_censored, speaks_of_censoring
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
    if not occurred and speaks_of_censoring(column.name):
        yield _event_or_censored(column.name, place)
    if says_who_was_censored(column.name) and any(spell(code) in ("1", "true", "yes") for code in occurred):
        rule, found = (
            "a column that says who was censored has no event where it says so",
            "occurred has it the other way",
        )
        remedy = "Look up what the codes mean: with the wrong one every risk is turned around."
        yield Finding("turned_event", place, rule, found, remedy, Severity.WARNING)
    held = _held(words(column))
    others = held - {cell_meant(code, held) for code in occurred}
    if occurred and len(others) > 1:
        rule = "who had no event should be censored"
        found = f"{len(others)} different values besides the event count as censored"
        remedy = "If one of them is a competing event, such as another cause of death, risks come out too high."
        yield Finding("competing_events", place, rule, found, remedy, Severity.WARNING)


def _event_or_censored(name: str, place: str) -> Finding:
    """Both codings are published, and the wrong one turns every risk around: only whoever knows the table can say."""
    usual = " As the name has it, 1 means censored: then write occurred = 0." if says_who_was_censored(name) else ""
    return Finding(
        name="assumed_event",
        place=place,
        rule="it must be said which value means that the event was seen",
        found="the column is named for censoring, and occurred is not set",
        remedy=f"Write occurred = 0 in the target where 1 means censored, occurred = 1 where 1 means the event.{usual}",
    )


def _held(cells: Sequence[str | None]) -> set[str]:
    return {cell for cell in cells if cell is not None}
