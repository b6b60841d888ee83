"""Where to look in each record: the masks of a column, or the foreground of a picture where one is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from polyclinic.errors import Finding, Severity
from polyclinic.formats.packed import nothing, pack, unpack
from polyclinic.geometry import GridGeometry
from polyclinic.records.masks.masks import ColumnMasks, load

ALIKE = 0.95
"""Overlap with every field of view among training rows from which the foreground may stand for one."""

Foreground = Callable[[int], Bool[np.ndarray, "*grid"] | None]
"""The foreground of a row's record, None where its pixels do not tell."""


@dataclass(frozen=True)
class FieldsOfView:
    """Where to look in each row's record.

    Attributes:
        masks: Masks of the column.
        place: Table and column, for messages.
        foreground: Packed foreground of the rows that have no mask and where it may stand for one; else empty.
        overlap: Intersection over union of mask and foreground, where both are known; else NaN.
    """

    masks: ColumnMasks
    place: str
    foreground: Shaped[np.ndarray, " sample"]
    overlap: Float[np.ndarray, " sample"]

    def row(self, row: int) -> Bool[np.ndarray, "*grid"] | None:
        """Where to look, in the geometry of the file; None = everywhere."""
        layers = self.masks.row(row)
        if layers is None:
            return unpack(self.foreground[row]).astype(bool) if self.foreground[row] else None
        return np.asarray(layers[0] != 0)

    def take(self, index: Int[np.ndarray, " row"]) -> "FieldsOfView":
        """Those of some rows."""
        return FieldsOfView(self.masks.take(index), self.place, self.foreground[index], self.overlap[index])

    def least_overlap(self, rows: Sequence[int]) -> float:
        """How well the foreground agrees with the masks of some rows, at least; 0 where it is not known of all."""
        found = self.overlap[list(rows)]
        return float(found.min()) if len(found) and np.isfinite(found).all() else 0.0

    def with_foreground(self, foreground: Foreground, overlap: float | None) -> "FieldsOfView":
        """Held against the pixels: compared while a study learns (``overlap`` None), else filled where both agreed."""
        if overlap is None:
            return self._compared(foreground)
        return self._completed(foreground) if overlap >= ALIKE else self

    def _compared(self, foreground: Foreground) -> "FieldsOfView":
        """With the overlap of every mask with the foreground of its picture."""
        overlap = np.full(len(self.masks), np.nan)
        for row in np.flatnonzero(self.masks.entry >= 0).tolist():
            plane, field = foreground(row), self.row(row)
            if plane is not None and field is not None:
                overlap[row] = (plane & field).sum() / max(1, (plane | field).sum())
        return replace(self, overlap=overlap)

    def _completed(self, foreground: Foreground) -> "FieldsOfView":
        """With the foreground where a mask is lacking."""
        packed = nothing(len(self.masks))
        for row in np.flatnonzero(self.masks.entry < 0).tolist():
            plane = foreground(row)
            packed[row] = b"" if plane is None else pack(plane.astype(np.uint8))
        return replace(self, foreground=packed)

    def missing_masks(self, geometry: Sequence[GridGeometry | None]) -> list[Finding]:
        """Rows with a record but no mask: where the foreground stands for it, and where nothing does."""
        present = np.array([grid is not None for grid in geometry], dtype=bool)
        without = present & (self.masks.entry < 0)
        stands = np.array([bool(packed) for packed in self.foreground], dtype=bool)
        rule, found = "new patients need the field of view as the study does", "it is lacking"
        rows = tuple(row + 1 for row in np.flatnonzero(without & stands).tolist())
        other = tuple(row + 1 for row in np.flatnonzero(without & ~stands).tolist())
        taken = "The lit part of the picture was taken for it, as it agreed in all training rows; look whether it fits."
        bare = "Nothing was learned of what lies outside it: leave that out of the answers, or give the masks."
        return [
            *([Finding("field_by_rule", self.place, rule, found, taken, Severity.WARNING, rows)] if rows else []),
            *([Finding("field_lacking", self.place, rule, found, bare, Severity.WARNING, other)] if other else []),
        ]


def read(
    cells: Sequence[tuple[str | None, ...]],
    geometry: Sequence[GridGeometry | None],
    folder: Path,
    cache: Path | None,
    place: str,
) -> FieldsOfView:
    """The masks of a column, as ``drawn.load`` reads them.

    Raises:
        CohortError: masks on another grid than their records.
        ReadError: files that cannot be read.
    """
    drawn = load(cells, geometry, folder, cache, place)
    return FieldsOfView(drawn, place, nothing(len(drawn)), np.full(len(drawn), np.nan))
