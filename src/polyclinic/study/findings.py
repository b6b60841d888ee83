"""Sorting findings by what the user accepted in the study file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from polyclinic.errors import Finding, Severity


def sift(findings: Iterable[Finding], accept: Mapping[str, str]) -> list[Finding]:
    """The same findings; a refusal that the study accepts by name becomes a note that gives the user's reason."""
    return [
        replace(finding, severity=Severity.NOTE, remedy=f"Accepted in the study file: {accept[finding.name]}")
        if finding.severity is Severity.REFUSED and finding.name in accept
        else finding
        for finding in findings
    ]


def idle(findings: Iterable[Finding], accept: Mapping[str, str]) -> list[Finding]:
    """A warning for each name that the study accepts and that nothing bears: a slip, or no longer needed."""
    found = {finding.name for finding in findings}
    rule, remedy = "an accepted finding should be found", "Correct the name, or take the line out."
    return [
        Finding("nothing_to_accept", f"[accept] {name}", rule, "nothing of that name is", remedy, Severity.WARNING)
        for name in accept
        if name not in found
    ]
