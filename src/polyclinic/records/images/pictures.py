"""The images of a column as read: their faults, what they look like, and what size and colours suit. No torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Shaped, UInt64

from polyclinic.errors import Finding
from polyclinic.formats.pictures.frame import Frame
from polyclinic.geometry import Geometry, Marks
from polyclinic.records.base import Features, LocatedRecords, Picture
from polyclinic.records.images import features, likeness, outlines, png, resampled
from polyclinic.records.images import findings as doubts
from polyclinic.records.images.decoded import Decoded
from polyclinic.records.images.foreground import foreground_of
from polyclinic.records.images.stack import common_extent, has_colour
from polyclinic.translations.phrase import Phrase

_FIELDS = ("format", "mode", "bits", "bytes", "width", "height", "origin")
_EMPTY = {"format": "", "mode": "", "origin": ""}
_NONE = Picture("text/html", b"", Phrase("no image"))


@dataclass(frozen=True)
class Pictures(LocatedRecords):
    """The images of a column as read, all rows.

    Attributes:
        name: The user's word for the input.
        decoded: Pixels, by row.
        place: Table and column, for messages.
        folder: Folder of the table.
        cache: Folder for prepared images, or None.
        required: Whether every patient must have an image.
        encoder_idle: Whether the study names an encoder or weights that a dense question does not use.
    """

    name: str
    decoded: Decoded
    place: str
    folder: Path
    cache: Path | None
    required: bool = True
    encoder_idle: bool = False

    def __len__(self) -> int:
        return len(self.decoded)

    def frames(self) -> Iterator[Frame | None]:
        """Every row's image, None where absent."""
        return (self.decoded.frame(row) for row in range(len(self)))

    def check(self) -> list[Finding]:
        """Absent and unusable images, images of one colour, very small ones, mixed depths."""
        return [
            *doubts.FILES.check(self.decoded, self.place, required=self.required),
            *doubts.doubtful(self.decoded, self.place),
            *([doubts.idle_encoder(f"[inputs.{self.name}]")] if self.encoder_idle else []),
        ]

    def summarise(self) -> Features:
        """Thumbnail, histogram and edges; NaN where absent."""
        nothing = np.full(len(features.NAMES), np.nan)
        rows = [nothing if frame is None else features.describe(frame) for frame in self.frames()]
        matrix = np.stack(rows) if rows else np.empty((0, len(nothing)))
        return Features(matrix, features.NAMES, (False,) * len(features.NAMES))

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """Equal numbers for images that are the same, also after another encoding; 0 where absent."""
        return likeness.fingerprints(self.frames())

    def properties(self) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Format, mode, depth, size, compression and maker of the files; empty where absent."""
        found = [frame.facts if frame else None for frame in self.frames()]
        return {
            field: np.array([getattr(facts, field) if facts else _EMPTY.get(field, 0) for facts in found])
            for field in _FIELDS
        }

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The image, with heat laid over where an explanation points: red raises, blue lowers the answer."""
        frame = self.decoded.frame(position)
        return _NONE if frame is None else Picture("image/png", png.heated_png(frame, attribution), self.name)

    def geometry(self) -> list[Geometry | None]:
        """The grid of every row's file."""
        return [
            None if entry < 0 else resampled.geometry_of(self.decoded, entry) for entry in self.decoded.entry.tolist()
        ]

    def foreground(self, position: int) -> Bool[np.ndarray, "height width"] | None:
        """All but the dark ground around a picture."""
        frame = self.decoded.frame(position)
        return None if frame is None else foreground_of(frame)

    def show_marks(self, position: int, marks: Marks) -> Picture:
        """The image with outlines of the truth and of the answer."""
        frame = self.decoded.frame(position)
        if frame is None:
            return _NONE
        return Picture("image/png", outlines.outlined_png(frame, marks), outlines.caption(self.name))


def channels_for(asked: Literal["auto", "grey", "rgb"], decoded: Decoded, rows: Sequence[int]) -> int:
    """1 for grey, 3 for colour: as asked, or by the images of ``rows``."""
    if asked == "auto":
        return 3 if has_colour(decoded, rows) else 1
    return 3 if asked == "rgb" else 1


def extent_for(asked: str | int | tuple[int, int], decoded: Decoded, rows: Sequence[int]) -> tuple[int, int]:
    """Height and width as asked, or by the images of ``rows``."""
    return pair(asked, None) or common_extent(decoded, rows)


def pair(asked: str | int | tuple[int, int], otherwise: tuple[int, int] | None) -> tuple[int, int] | None:
    """A side for both, or height and width; ``otherwise`` where it is left open ("auto")."""
    if isinstance(asked, tuple):
        return asked
    return (asked, asked) if isinstance(asked, int) else otherwise
