"""The volumes of a column as read: their faults, what they look like, where their voxels lie. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt64

from polyclinic.errors import Finding
from polyclinic.geometry import Geometry, Marks
from polyclinic.records.base import Features, LocatedRecords, Picture
from polyclinic.records.scans import findings as doubts
from polyclinic.records.scans import slices, survey
from polyclinic.records.scans.scans import Scans
from polyclinic.translations.phrase import Phrase

_NONE = Picture("text/html", b"", Phrase("no volume"))


@dataclass(frozen=True)
class Volumes(LocatedRecords):
    """The scans of a column as read, all rows.

    Attributes:
        name: The user's word for the input.
        scans: Voxels and geometry, by row.
        place: Table and column, for messages.
        cache: Folder for prepared scans, or None.
        required: Whether every patient must have a volume.
    """

    name: str
    scans: Scans
    place: str
    cache: Path | None
    required: bool = True

    def __len__(self) -> int:
        return len(self.scans)

    def check(self) -> list[Finding]:
        """Absent and unusable volumes, empty ones, unknown geometry, and what the readers put right."""
        return [
            *doubts.FILES.check(self.scans, self.place, required=self.required),
            *doubts.doubtful(self.scans, self.place),
        ]

    def summarise(self) -> Features:
        """Size, levels and a coarse picture of each volume; NaN where absent."""
        nothing = np.full(len(survey.NAMES), np.nan)
        found = [self.scans.scan(row) for row in range(len(self))]
        rows = [nothing if scan is None else survey.describe(scan) for scan in found]
        matrix = np.stack(rows) if rows else np.empty((0, len(nothing)))
        return Features(matrix, survey.NAMES, (False,) * len(survey.NAMES))

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """Equal numbers for scans with the same content, however turned or stored; 0 where absent."""
        return doubts.fingerprints(self.scans)

    def properties(self) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Format, depth, size, spacing and maker of the files; empty where absent."""
        return doubts.properties(self.scans)

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The middle slice across the coarsest axis, with heat laid over where an explanation points."""
        scan = self.scans.scan(position)
        if scan is None:
            return _NONE
        plane = slices.choose_slice(scan.geometry)
        return Picture("image/png", slices.slice_png(scan, plane, attribution), plane.caption(self.name))

    def geometry(self) -> list[Geometry | None]:
        """The grid of every row's file."""
        return [None if scan < 0 else self.scans.geometry[scan] for scan in self.scans.entry.tolist()]

    def show_marks(self, position: int, marks: Marks) -> Picture:
        """The slice with most of the truth (else of the answer), with outlines."""
        scan = self.scans.scan(position)
        if scan is None:
            return _NONE
        plane = slices.choose_slice(scan.geometry, marks)
        return Picture("image/svg+xml", slices.slice_svg(scan, plane, marks), plane.caption(self.name, True))
