"""Which labels of a mask make which region, as the study declares it or as the training masks have it. No torch."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from polyclinic.errors import Finding, Severity
from polyclinic.records.masks.masks import ColumnMasks, Region, inside

Columns = str | Mapping[str, str]
Declared = Literal["auto"] | tuple[str, ...] | Mapping[str, int | tuple[int, ...]]
_SHOWN = 8
"""Labels that a message names; a round number."""


def layer_names(column: Columns, regions: Declared) -> tuple[str, ...]:
    """Names of the layers that files may name: those of the regions."""
    if isinstance(column, Mapping):
        return tuple(column)
    return () if regions == "auto" else tuple(regions)


def choose(column: Columns, regions: Declared, masks: ColumnMasks, rows: Sequence[int]) -> tuple[Region, ...]:
    """The regions that are declared, or else one for each label of some rows."""
    if isinstance(column, Mapping):
        return tuple(Region(name, layer, ()) for layer, name in enumerate(column))
    if regions == "auto":
        found = {label for row in rows for layer in masks.labels(row) for label in layer} - {0}
        if len(found) == 1:
            return (Region("region", 0, ()),)
        return tuple(Region(f"label {label}", 0, (label,)) for label in sorted(found))
    if masks.names:
        return tuple(Region(name, layer, ()) for layer, name in enumerate(masks.names))
    return tuple(Region(name, 0, labels) for name, labels in _labels(regions).items())


def contradictions(place: str, column: Columns, regions: Declared, *, overlapping: bool) -> list[Finding]:
    """Regions that contradict each other or the columns."""
    findings = []
    if isinstance(column, Mapping) and regions != "auto":
        rule, found = "regions are named once", "both column and regions name them"
        findings.append(Finding("idle_option", place, rule, found, "Leave regions out."))
    if isinstance(regions, Mapping) and not overlapping:
        labels = [label for each in _labels(regions).values() for label in each]
        if len(set(labels)) < len(labels):
            rule, found = "a label may belong to one region only", "some belong to several"
            findings.append(Finding("shared_label", place, rule, found, "Write overlapping = true if that is meant."))
    return findings


def strange_labels(place: str, column: Columns, regions: Declared, masks: ColumnMasks) -> list[Finding]:
    """Labels that no region has, in all rows."""
    if isinstance(column, Mapping) or regions == "auto" or masks.names:
        return []
    declared = {label for labels in _labels(regions).values() for label in labels}
    seen = [{label for layer in masks.labels(row) for label in layer} - {0} for row in range(len(masks))]
    if declared:
        rows = [row for row, labels in enumerate(seen) if labels - declared]
        found = "others occur"
    else:
        rows = [row for row, labels in enumerate(seen) if len(labels) > 1]
        found = "one region is declared, but several labels occur"
    if not rows:
        return []
    others = sorted(set().union(*(seen[row] for row in rows)) - declared)
    found = f"{found} ({', '.join(map(str, others[:_SHOWN]))}{', ...' if len(others) > _SHOWN else ''})"
    rule, remedy = (
        "a mask must hold the labels that the study declares",
        "Name them under regions, or correct the masks.",
    )
    return [Finding("unknown_label", place, rule, found, remedy, rows=tuple(row + 1 for row in rows))]


def anything(masks: ColumnMasks) -> Int[np.ndarray, " sample"]:
    """1 where a mask has something on it, 0 where it is empty, -1 where there is none."""
    labels = [masks.labels(row) for row in range(len(masks))]
    found = [-1 if not layers else int(any(label for layer in layers for label in layer)) for layers in labels]
    return np.array(found, dtype=np.int64)


def shares(masks: ColumnMasks, regions: Sequence[Region], rows: Sequence[int]) -> tuple[float, ...]:
    """Share of the points of some records that belong to each region."""
    points, total = np.zeros(len(regions)), 0
    for row in rows:
        layers = masks.row(row)
        assert layers is not None
        points += [np.count_nonzero(inside(layers, region)) for region in regions]
        total += layers[0].size
    return tuple((points / max(total, 1)).tolist())


def absent_regions(place: str, regions: Sequence[Region], found: Sequence[float], records: int) -> list[Finding]:
    """Regions that no training record has: nothing can be learned of them."""
    rare = [region.name for region, share in zip(regions, found, strict=True) if share == 0]
    if regions and not rare:
        return []
    which = "no region has" if len(rare) == len(regions) else f"{', '.join(rare)}: no record has"
    rule, found_text = "every region must be in some training record", f"{which} a point in {records} masks"
    remedy = "Look whether the right masks are named, or leave the region out."
    return [Finding("empty_masks", place, rule, found_text, remedy)]


def empty_masks(place: str, masks: ColumnMasks) -> list[Finding]:
    """A note on the masks with nothing on them."""
    rows = tuple(int(row) + 1 for row in np.flatnonzero(anything(masks) == 0))
    if not rows:
        return []
    remedy = "They are taken to say that nothing is there."
    return [Finding("empty_mask", place, "a mask may be empty", f"{len(rows)} are", remedy, Severity.NOTE, rows)]


def first_outputs(found: Sequence[float], *, exclusive: bool) -> list[float]:
    """Outputs that say how much of a training record each region takes up, before softmax or sigmoid."""
    odds = [float(np.clip(share, 1e-4, 0.99)) for share in found]
    if not exclusive:
        return [float(np.log(share / (1 - share))) for share in odds]
    return [float(np.log(share)) for share in (max(1e-2, 1 - sum(odds)), *odds)]


def _labels(
    regions: Literal["auto"] | tuple[str, ...] | Mapping[str, int | tuple[int, ...]],
) -> dict[str, tuple[int, ...]]:
    """Labels of each region that is declared; of a single name whatever is not 0."""
    if isinstance(regions, Mapping):
        return {name: (labels,) if isinstance(labels, int) else labels for name, labels in regions.items()}
    return {name: () if len(regions) == 1 else (number,) for number, name in enumerate(regions, start=1)}
