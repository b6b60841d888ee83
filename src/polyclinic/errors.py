"""Every exception of the house, and the finding that they all carry.

PolyclinicError          the user's file or data is at fault: exit status 2, nothing half-written
├── StudyError           the study file
├── CohortError          the table of patients
├── ReadError            a file that a cell of the table points to
├── LeakError            rows or columns that would let the answer into the training
├── EvidenceError        predictions that cannot be judged
├── BundleError          a folder that `run` left, or should not have found
└── MissingPackage       an optional package; the message names the extra that installs it

Anything else that is raised is a fault of ours: exit status 1.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of writing."""


class Severity(StrEnum):
    """How far a finding reaches: an error stops, a refusal stops unless accepted by name, the rest is told."""

    ERROR = "error"
    REFUSED = "refused"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing found in a user's file: where, which rule, what was seen, and what to do.

    Never put the content of a cell in here: row numbers and column names only. Logs and reports show findings.

    Attributes:
        name: Word by which `[accept]` may accept a refusal, such as ``duplicate_records``.
        place: File, section or column, such as ``cohort.csv column "age"``.
        rule: What should hold.
        found: What was seen instead.
        remedy: What the user can do about it.
        severity: Whether it stops the run.
        rows: Row numbers of the user's table, counted from 1 (the header is not a row).
    """

    name: str
    place: str
    rule: str
    found: str
    remedy: str
    severity: Severity = Severity.ERROR
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        return visible(f"{self.place}: {self.rule}; {self.found}{name_rows(self.rows)}. {self.remedy}")


def visible(text: str) -> str:
    r"""A line for a terminal or a log, where signs that steer either, as a name of a column may hold, show as escapes.

    Example:
        >>> visible("a\x1b[31m")
        'a\\x1b[31m'
    """
    return _STEERING.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def name_rows(rows: Sequence[int], most: int = 5) -> str:
    """Row numbers for a message, shortened: ``(rows 3, 17, 20 and 4 more)``; empty when there are none."""
    if not rows:
        return ""
    listed = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f" ({'row' if len(rows) == 1 else 'rows'} {listed}{more})"


class PolyclinicError(ValueError):
    """The user's file or data is at fault. Carries every finding of the pass that raised it."""

    def __init__(self, findings: Iterable[Finding] | Finding) -> None:
        self.findings = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class StudyError(PolyclinicError):
    """The study file breaks a rule."""


class CohortError(PolyclinicError):
    """The table of patients cannot be used as it stands."""


class ReadError(PolyclinicError):
    """A file that a cell points to cannot be read, or reading it would be a guess."""


class LeakError(PolyclinicError):
    """The answer would leak into the training."""


class EvidenceError(PolyclinicError):
    """The predictions cannot be judged."""


class BundleError(PolyclinicError):
    """The folder of a run is damaged, in use, of another format, or already full."""


class FindingWarning(UserWarning):
    """A finding that stops nothing, where answers go straight to a program and nothing is printed."""


class MissingPackage(PolyclinicError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            Finding(
                name="missing_package",
                place=purpose,
                rule=f"needs the package {package}",
                found="it is not installed",
                remedy=f"Install it: pip install 'polyclinic[{extra}]'.",
            )
        )


def stop_on(findings: Iterable[Finding], error: type[PolyclinicError]) -> None:
    """Raise ``error`` with all findings that stop, if there is one; warnings and notes pass."""
    stopping = [f for f in findings if f.severity in (Severity.ERROR, Severity.REFUSED)]
    if stopping:
        raise error(stopping)
