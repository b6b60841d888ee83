"""Columns of a statistics program: numbers with labels are words, missing values of the user are not known."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polyclinic.errors import Finding, Severity
from polyclinic.formats.apart.process import read_apart
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.headers import TableCells, named
from polyclinic.formats.columns.mixed import mixed_cells
from polyclinic.formats.unreadable import unreadable

_MOST_LABELS = 40
"""Columns whose meaning a note spells out: more are looked up in the program itself. A round number."""


def read_labelled(path: Path, reader: str) -> TableCells:
    """The table of a file of Stata, SPSS or SAS.

    Args:
        path: The file.
        reader: The function of pyreadstat that reads it.

    Raises:
        CohortError: if the file is damaged.
        MissingPackage: if pyreadstat is not installed.
    """
    found = read_apart("statistics", "pyreadstat", "statistics", path, reader)
    if found is None or any(len(values) != found["rows"] for values in found["values"] if found["rows"] is not None):
        rule = f"must be a whole {path.suffix} file"
        raise unreadable(path.name, rule, "it is damaged, encrypted or of another format", "Save it again, or as csv.")
    names = named(found["names"], path.name)
    values = {n: [_known(value) for value in cells] for n, cells in zip(names, found["values"], strict=True)}
    labels = {name: dict(pairs) for name, pairs in found["labels"].items() if name in values}
    partly = [name for name in labels if not _all_labelled(values[name], labels[name])]
    cells = mixed_cells({name: _column(known, labels.get(name, {})) for name, known in values.items()}, path.name)
    notes = (*_partly(path.name, partly), *_meanings(path.name, found["meanings"]))
    return TableCells(cells.frame, (*cells.notes, *notes), cells.declared)


def _known(value: Any) -> Any:
    """A cell; what is no number, and text that is empty, is not known."""
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def _is_whole(values: Sequence[Any]) -> bool:
    """Whether all known cells are whole numbers, which SPSS and SAS store with decimals."""
    known = [value for value in values if value is not None]
    return all(isinstance(value, (int, float)) and float(value).is_integer() for value in known)


def _column(values: Sequence[Any], labels: Mapping[Any, str]) -> list[Any]:
    if labels and _all_labelled(values, labels):
        return [None if value is None else labels[value] for value in values]
    return [None if value is None else int(value) for value in values] if _is_whole(values) else list(values)


def _all_labelled(values: Sequence[Any], labels: Mapping[Any, str]) -> bool:
    """Whether every value has a label of its own."""
    known = {value for value in values if value is not None}
    return known <= labels.keys() and len({labels[value] for value in known}) == len(known)


def _partly(table: str, names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        yield Finding(
            name="partly_labelled",
            place=f'{table} column "{name}"',
            rule="every value should have a label of its own, or none should",
            found="some have none, or two have the same",
            remedy="It stays as stored; if a labelled value means not known, declare it as missing or under [cohort].",
            severity=Severity.WARNING,
        )


def _meanings(table: str, labels: Mapping[str, str | None]) -> Iterator[Finding]:
    """What the columns mean, as the file says."""
    said = [f"{name}: {label}" for name, label in labels.items() if label]
    if said:
        more = f" and {counted(len(said) - _MOST_LABELS, 'more column')}" if len(said) > _MOST_LABELS else ""
        found = "; ".join(said[:_MOST_LABELS]) + more
        rule, remedy = "what the columns mean, as the file says", "See whether they mean what the study takes them for."
        yield Finding("column_labels", table, rule, found, remedy, Severity.NOTE)
