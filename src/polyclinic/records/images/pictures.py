"""The images of a column as read, and what size and colours suit the training images. No torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Shaped

from polyclinic.formats.pictures.frame import Frame
from polyclinic.records.images.decoded import Decoded
from polyclinic.records.images.stack import common_extent, has_colour

_FIELDS = ("format", "mode", "bits", "bytes", "width", "height", "origin")
_EMPTY = {"format": "", "mode": "", "origin": ""}


@dataclass(frozen=True)
class Pictures:
    """The images of a column as read, all rows.

    Attributes:
        decoded: Pixels, by row.
        place: Table and column, for messages.
        folder: Folder of the table.
        cache: Folder for prepared images, or None.
    """

    decoded: Decoded
    place: str
    folder: Path
    cache: Path | None

    def __len__(self) -> int:
        return len(self.decoded)

    def frames(self) -> Iterator[Frame | None]:
        """Every row's image, None where absent."""
        return (self.decoded.frame(row) for row in range(len(self)))

    def properties(self) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Format, mode, depth, size, compression and maker of the files; empty where absent."""
        found = [frame.facts if frame else None for frame in self.frames()]
        return {
            field: np.array([getattr(facts, field) if facts else _EMPTY.get(field, 0) for facts in found])
            for field in _FIELDS
        }


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
