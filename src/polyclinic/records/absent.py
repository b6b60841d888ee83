"""Rows that hold nothing to work with: unreadable files and empty cells, as findings. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int

from polyclinic.errors import Finding, Severity
from polyclinic.records.column_files import Fault, rows_by_fault


@runtime_checkable
class FileColumn(Protocol):
    """A column of files as read."""

    @property
    def entry(self) -> Int[np.ndarray, " sample"]:
        """Which record each row has, -1 where it has none."""

    @property
    def fault(self) -> Sequence[Fault | None]:
        """What is wrong with each row's file."""

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class FileFindings:
    """Findings about one sort of file.

    Attributes:
        noun: What the files hold, such as "image".
        article: "a" or "an".
    """

    noun: str
    article: str = "a"

    def check(self, column: FileColumn, place: str, *, required: bool) -> list[Finding]:
        """Rows without a file, and those whose file cannot be used: they count as having none."""
        absent = self.absent(column, place, Severity.ERROR if required else Severity.NOTE)
        return [*self.unusable(column, place, Severity.WARNING), *absent]

    def unusable(self, column: FileColumn, place: str, severity: Severity) -> list[Finding]:
        """One finding for each kind of fault, with all rows that have it.

        Args:
            column: The files as read.
            place: Table and column.
            severity: ERROR, or WARNING where such rows count as having none.
        """
        masked = f"Until then these rows count as having no {self.noun}."
        after = masked if severity is Severity.WARNING else 'Or set missing = "allow" to go on without them.'
        return [
            Finding(
                name=fault.name,
                place=place,
                rule=fault.rule,
                found=f"{len(rows)} of {len(column)} break this: {fault.found}",
                remedy=f"{fault.remedy} {after}",
                severity=severity,
                rows=rows,
            )
            for fault, rows in rows_by_fault(column.fault).items()
        ]

    def absent(self, column: FileColumn, place: str, severity: Severity) -> list[Finding]:
        """Rows whose cell is empty."""
        pairs = zip(column.entry, column.fault, strict=True)
        empty = tuple(row for row, (entry, fault) in enumerate(pairs, start=1) if entry < 0 and fault is None)
        if not empty:
            return []
        name, one = f"absent_{self.noun}", f"{self.article} {self.noun}"
        found = f"{len(empty)} of {len(column)} have none"
        if severity is Severity.NOTE:
            return [Finding(name, place, f"rows without {one} are masked", found, "", severity, empty)]
        remedy = f'Give every row {one}, or set missing = "allow".'
        return [Finding(name, place, f"every row must have {one}", found, remedy, severity, empty)]


def absent_rows(name: str, table: str, absent: Bool[np.ndarray, " sample"]) -> list[Finding]:
    """The finding for rows that lack an input which no patient may lack.

    Args:
        name: The user's word for the input.
        table: The user's word for the table.
        absent: Which rows have nothing of it.
    """
    if not absent.any():
        return []
    return [
        Finding(
            name="absent_input",
            place=f"{table} [inputs.{name}]",
            rule="every patient must have this input",
            found=f"{int(absent.sum())} of {len(absent)} rows have nothing of it",
            remedy='Fill them in, leave these rows out, or set missing = "allow": an absent input is then masked.',
            rows=tuple(int(row) + 1 for row in np.flatnonzero(absent)),
        )
    ]
