"""Spans written in a cell as JSON: a list of ``{"start": 3, "end": 11, "label": "drug"}``, held against the text.

``text`` may be given too: then it must be what stands there. ``assertion`` may say that the span is negated, say.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from polyclinic.cohort.outcomes import rows_where
from polyclinic.errors import Finding

_KEYS = {"start", "end", "label", "text", "assertion"}
_REMEDY = 'Write [{"start": 3, "end": 11, "label": "drug"}], counted in characters from 0, end not included; [] = none.'


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of a text: from ``start`` up to but not including ``end``, in code points."""

    start: int
    end: int
    label: str
    assertion: str | None = None
    text: str | None = None


Row = tuple[Span, ...] | None
"""The spans of one text; None = not known."""


def read_spans(cells: Sequence[str | None], place: str) -> tuple[list[Row], list[Finding]]:
    """Cells to spans, sorted; each fault is named once with all its rows."""
    rows: list[Row] = []
    faults: dict[str, list[int]] = {}
    for number, cell in enumerate(cells, 1):
        found = None if cell is None or not cell.strip() else _parse(cell)
        if isinstance(found, str):
            faults.setdefault(found, []).append(number)
            found = None
        rows.append(found)
    rule = "must be a list of spans"
    return rows, [Finding("bad_spans", place, rule, word, _REMEDY, rows=tuple(r)) for word, r in faults.items()]


def _parse(cell: str) -> tuple[Span, ...] | str:
    """The spans of a cell, or what is wrong with it."""
    try:
        entries = json.loads(cell)
    except (ValueError, RecursionError):
        return "some cells are not JSON"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return "some cells are no list of objects"
    spans = set()
    for entry in entries:
        fault = _fault(entry)
        if fault:
            return fault
        spans.add(Span(entry["start"], entry["end"], entry["label"], entry.get("assertion"), entry.get("text")))
    return tuple(sorted(spans, key=lambda s: (s.start, s.end, s.label)))


def _fault(entry: dict[str, Any]) -> str:
    """What is wrong with one entry, or nothing."""
    if set(entry) - _KEYS or not {"start", "end", "label"} <= set(entry):
        return "some spans lack start, end or label, or have other keys"
    bounds = (entry["start"], entry["end"])
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in bounds):
        return "some offsets are no whole numbers"
    words = (entry["label"], entry.get("text") or "-", entry.get("assertion") or "-")
    if not all(isinstance(word, str) and word.strip() for word in words):
        return "some labels, texts or assertions are no words"
    return "" if 0 <= bounds[0] < bounds[1] else "some spans do not end after they start"


def span_faults(
    rows: list[Row],
    place: str,
    labels: tuple[str, ...] | None,
    assertions: tuple[str, ...],
    *,
    nested: bool,
    new: bool,
) -> list[Finding]:
    """What stops a study although its cells can be read.

    Args:
        rows: The spans of each text.
        place: Column and table.
        labels: Those that are declared, or None.
        assertions: What may be said of a span; () where nothing is asked.
        nested: Whether spans may share words.
        new: Whether nothing is learned yet, so that there must be spans.
    """
    findings = []
    crossed = np.array([row is not None and not nested and crossing(row) for row in rows], dtype=bool)
    if found := rows_where(crossed):
        rule, remedy = "spans must not share words", "Write nested = true, or keep one of them."
        findings.append(Finding("crossing_spans", place, rule, f"{len(found)} texts have such", remedy, rows=found))
    strange = np.array([labels is not None and any(s.label not in labels for s in row or ()) for row in rows])
    if found := rows_where(strange):
        rule, remedy = "labels must be those of the study", 'Add them to "labels", or correct the cells.'
        findings.append(Finding("unknown_label", place, rule, "others come", remedy, rows=found))
    given = {s.assertion for row in rows for s in row or () if s.assertion is not None}
    if assertions and given - set(assertions):
        rule = f"assertions must be among {', '.join(assertions)}"
        findings.append(Finding("unknown_assertion", place, rule, "others come", "Rename them."))
    if new and not any(rows):
        rule, remedy = "must hold spans", "Name another column."
        findings.append(Finding("no_outcome", place, rule, "there is no span in any row", remedy))
    return findings


def crossing(spans: tuple[Span, ...]) -> bool:
    """Whether some spans share a sign."""
    return any(first.end > later.start for first, later in pairwise(spans))


def misplaced(spans: tuple[Span, ...], text: str) -> bool:
    """Whether a span reaches beyond the text, or something else stands there than it says."""
    beyond = any(span.end > len(text) for span in spans)
    return beyond or any(span.text is not None and text[span.start : span.end] != span.text for span in spans)


def blank(spans: tuple[Span, ...], text: str) -> bool:
    """Whether a span begins or ends with a space, or is nothing but spaces."""
    return any(text[s.start : s.end] != text[s.start : s.end].strip() for s in spans)
