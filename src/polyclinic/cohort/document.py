"""``cohort.json``: who was left out and why, what was found, who the patients are, fingerprints of the files."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Shaped
from pydantic import BaseModel, ConfigDict

from polyclinic.cohort.describe import TableOne, choose_described, table_one
from polyclinic.cohort.table import Cohort
from polyclinic.cohort.unused_columns import UnusedColumn
from polyclinic.errors import Finding
from polyclinic.formats.columns.column_types import as_words, pick

MOST_ROWS = 1000
"""Rows listed by a finding in the document: enough to look into, not so many that the file grows with the table."""

_MOST_GROUPS = 5
"""Groups beside each other in table one: more columns do not fit on a page."""

_FEWEST_OF_GROUP = 5
"""A group of fewer rows would describe single patients."""


class _Document(BaseModel):
    """A part of the document: what it holds beyond is left alone, what it lacks is empty."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class FlowStep(_Document):
    """A station of the flow chart: what happened there, and who was left afterwards."""

    step: str = ""
    rows: int | None = None
    patients: int | None = None
    left_out: int = 0


class NotedFinding(_Document):
    """A finding as it is kept, with its first rows; ``severity`` of an accepted refusal is "note"."""

    name: str = ""
    place: str = ""
    rule: str = ""
    found: str = ""
    remedy: str = ""
    severity: str = "note"
    rows: tuple[int, ...] = ()
    rows_in_all: int = 0


class DescribedRow(_Document):
    """A line of table one: a variable, or one level of it, as it is printed."""

    name: str = ""
    level: str = ""
    cells: tuple[str, ...] = ()
    difference: float | None = None


class DescribedTable(_Document):
    """Who the patients are, in all and by outcome, as it is printed."""

    groups: tuple[str, ...] = ()
    rows: tuple[DescribedRow, ...] = ()
    columns_left_out: int = 0


class LeftColumn(_Document):
    """A column that the study does not use, and why."""

    column: str = ""
    why: str = ""


class CohortDocument(_Document):
    """``cohort.json``.

    Attributes:
        period: First and last month of the moments of prediction, as "2019-01"; days would be those of patients.
        sites: How many different sites are known.
    """

    format: Literal[1] = 1
    name: str = ""
    flow: tuple[FlowStep, ...] = ()
    findings: tuple[NotedFinding, ...] = ()
    table_one: DescribedTable | None = None
    fingerprints: dict[str, str] = {}
    unused: tuple[LeftColumn, ...] = ()
    unused_in_all: int = 0
    period: tuple[str, ...] = ()
    sites: int | None = None


def cohort_document(
    cohort: Cohort,
    findings: Sequence[Finding] | None = None,
    groups: Sequence[Sequence[str]] | None = None,
    outcome: Sequence[str] = (),
    unused: Sequence[UnusedColumn] = (),
) -> CohortDocument:
    """The cohort as its document, without any cell that could name a patient.

    Args:
        cohort: The patients who take part.
        findings: Of the whole study; by default those of reading the table.
        groups: Columns that table one might describe, those of one input together; by default all but the outcome.
        unused: Columns that the study does not use.
        outcome: Outcome columns; the first one with at most five values gives the groups of table one.
    """
    possible = [[name for name in group if name not in outcome] for group in groups or [cohort.frame.columns]]
    grouping = _grouping(cohort.frame, outcome)
    by = None if grouping is None else as_words(cohort.frame[grouping])
    everything = list(dict.fromkeys(name for group in possible for name in group))
    one = table_one(pick(cohort.frame, everything), by, choose_described(possible))
    return CohortDocument(
        name=cohort.name,
        flow=_flow(cohort),
        findings=tuple(map(_noted, cohort.findings if findings is None else findings)),
        table_one=_described(one, grouping),
        unused=tuple(LeftColumn(column=one.name, why=one.why) for one in unused[:MOST_ROWS]),
        unused_in_all=len(unused),
        period=_period(cohort.dates),
        sites=None if cohort.site is None else len(set(np.unique(cohort.site).tolist()) - {""}),
        fingerprints={**cohort.fingerprints.sources, "table": cohort.fingerprints.table},
    )


def _period(dates: Shaped[np.ndarray, " row"] | None) -> tuple[str, ...]:
    """First and last month; nothing where no date is known."""
    known = np.zeros(0) if dates is None else dates[~np.isnat(dates)]
    return tuple(str(day.astype("datetime64[M]")) for day in (known.min(), known.max())) if len(known) else ()


def _flow(cohort: Cohort) -> tuple[FlowStep, ...]:
    before = [None, *cohort.flow]
    return tuple(
        FlowStep(
            step=step.label,
            rows=step.rows,
            patients=step.patients,
            left_out=earlier.rows - step.rows if earlier else 0,
        )
        for earlier, step in zip(before, cohort.flow, strict=False)
    )


def _noted(finding: Finding) -> NotedFinding:
    return NotedFinding(
        name=finding.name,
        place=finding.place,
        rule=finding.rule,
        found=finding.found,
        remedy=finding.remedy,
        severity=str(finding.severity),
        rows=finding.rows[:MOST_ROWS],
        rows_in_all=len(finding.rows),
    )


def _grouping(frame: pl.DataFrame, outcome: Sequence[str]) -> str | None:
    """The first outcome column with two to five values, each shared by at least five rows."""
    for name in outcome:
        sizes = frame[name].drop_nulls().value_counts(name="\0n").to_series(1)
        if 2 <= len(sizes) <= _MOST_GROUPS and int(sizes.min() or 0) >= _FEWEST_OF_GROUP:  # type: ignore[arg-type]
            return name
    return None


def _described(one: TableOne, grouping: str | None) -> DescribedTable:
    names = ["all", *(f"{grouping}: {group}" for group in one.groups[1:])]
    groups = [f"{name} (n = {size:,})" for name, size in zip(names, one.sizes, strict=True)]
    compared = len(groups) > 2
    rows = [
        DescribedRow(
            name=line.name,
            level=line.level,
            cells=(*map(str, line.cells), *([_difference(line.difference)] if compared else [])),
            difference=None if line.difference is None or not math.isfinite(line.difference) else line.difference,
        )
        for line in one.lines
    ]
    columns = (*groups, *(["standardised difference"] if compared else []))
    return DescribedTable(groups=columns, rows=tuple(rows), columns_left_out=one.left_out)


def _difference(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if math.isfinite(value) else "-"
