"""Sorting findings by what the user accepted in the study file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from polyclinic.errors import Finding, Severity


def sift(findings: Iterable[Finding], accept: Mapping[str, str]) -> list[Finding]:
    """The same findings; a refusal that the study accepts by name becomes a note that gives the user's reason."""
    return [_accepted(f, accept[f.name]) if _may_accept(f, accept) else f for f in findings]


def _may_accept(finding: Finding, accept: Mapping[str, str]) -> bool:
    return finding.severity is Severity.REFUSED and finding.name in accept


def _accepted(finding: Finding, reason: str) -> Finding:
    return replace(finding, severity=Severity.NOTE, remedy=f"Accepted in the study file: {reason}")
