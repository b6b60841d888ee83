"""What is wrong or doubtful with the images of a column, as findings for the user. No torch."""

from collections.abc import Sequence

from polyclinic.errors import Finding, Severity
from polyclinic.readers.decode import Decoded, Problem

_SMALLEST = 8


def unusable(decoded: Decoded, place: str, severity: Severity) -> list[Finding]:
    """One finding for each kind of fault, with all rows that have it.

    Args:
        decoded: The images.
        place: Table and column.
        severity: ERROR, or WARNING where such rows count as having no image.
    """
    rows: dict[Problem, list[int]] = {}
    for row, problem in enumerate(decoded.problem, start=1):
        if problem is not None:
            rows.setdefault(problem, []).append(row)
    told = severity is Severity.WARNING
    return [
        Finding(
            name=problem.name,
            place=place,
            rule=problem.rule,
            found=f"{len(where)} of {len(decoded)} break this: {problem.found}",
            remedy=f"{problem.remedy} {_MASKED if told else _OR_ALLOW}",
            severity=severity,
            rows=tuple(where),
        )
        for problem, where in rows.items()
    ]


_MASKED = "Until then these rows count as having no image."
_OR_ALLOW = 'Or set missing = "allow" to go on without them.'


def absent(decoded: Decoded, place: str, severity: Severity) -> list[Finding]:
    """Rows whose cell is empty."""
    pairs = zip(decoded.entry, decoded.problem, strict=True)
    empty = [row for row, (entry, problem) in enumerate(pairs, start=1) if entry < 0 and problem is None]
    if not empty:
        return []
    found = f"{len(empty)} of {len(decoded)} have none"
    if severity is Severity.NOTE:
        return [_finding("absent_image", place, "rows without an image are masked", found, "", severity, empty)]
    remedy = 'Give every row an image, or set missing = "allow".'
    return [_finding("absent_image", place, "every row must have an image", found, remedy, severity, empty)]


def doubtful(decoded: Decoded, place: str) -> list[Finding]:
    """What does not stop the run but should be known: images of one colour, very small ones, mixed depths."""
    blank: list[int] = []
    tiny: list[int] = []
    deep: set[bool] = set()
    for row, entry in enumerate(decoded.entry, start=1):
        facts = decoded.facts[entry] if entry >= 0 else None
        if facts is not None:
            blank += [row] if decoded.blank[entry] else []
            tiny += [row] if min(facts.width, facts.height) < _SMALLEST else []
            deep.add(facts.bits > 8)
    findings = []
    if blank:
        found = f"{len(blank)} are of one colour"
        rule, remedy = "an image should show something", "Look whether the export went wrong."
        findings.append(_finding("blank_image", place, rule, found, remedy, Severity.WARNING, blank))
    if tiny:
        rule, found = f"an image should have at least {_SMALLEST} pixels a side", f"{len(tiny)} have fewer"
        findings.append(
            _finding("tiny_image", place, rule, found, "Look whether they are thumbnails.", Severity.WARNING, tiny)
        )
    if len(deep) > 1:
        rule, found = "images should be stored alike", "some have 8 bits, others more"
        remedy = "Check that black and white mean the same in both."
        findings.append(_finding("mixed_depths", place, rule, found, remedy, Severity.WARNING, ()))
    return findings


def idle_encoder(place: str) -> Finding:
    """Options that the U-Net of a question asked at every point would silently pass over."""
    rule, found = "a question asked at every point has a network of its own", "encoder or weights are set"
    return Finding("idle_option", place, rule, found, "Leave them out.")


def _finding(
    name: str, place: str, rule: str, found: str, remedy: str, severity: Severity, rows: Sequence[int]
) -> Finding:
    return Finding(name, place, rule, found, remedy, severity, tuple(rows))
