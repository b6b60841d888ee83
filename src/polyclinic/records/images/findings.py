"""What is wrong or doubtful with the images of a column, as findings for the user. No torch."""

from polyclinic.errors import Finding, Severity
from polyclinic.records.absent import FileFindings
from polyclinic.records.images.decoded import Decoded

FILES = FileFindings("image", "an")
_SMALLEST = 8
"""The least that the options of an image allow as a side."""


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
        findings.append(Finding("blank_image", place, rule, found, remedy, Severity.WARNING, tuple(blank)))
    if tiny:
        rule, found = f"an image should have at least {_SMALLEST} pixels a side", f"{len(tiny)} have fewer"
        remedy = "Look whether they are thumbnails."
        findings.append(Finding("tiny_image", place, rule, found, remedy, Severity.WARNING, tuple(tiny)))
    if len(deep) > 1:
        rule, found = "images should be stored alike", "some have 8 bits, others more"
        remedy = "Check that black and white mean the same in both."
        findings.append(Finding("mixed_depths", place, rule, found, remedy, Severity.WARNING))
    return findings


def idle_encoder(place: str) -> Finding:
    """Options that the U-Net of a question asked at every point would silently pass over."""
    rule, found = "a question asked at every point has a network of its own", "encoder or weights are set"
    return Finding("idle_option", place, rule, found, "Leave them out.")
