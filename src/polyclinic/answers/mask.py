"""Regions of a picture or a scan, point by point."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer


@dataclass(frozen=True)
class MaskAnswer(Answer):
    """Regions of a picture or a scan, point by point, in the geometry of the file.

    Arrays that differ in size from sample to sample are packed (see ``packing``); empty bytes = not known.

    Attributes:
        regions: Names in the user's words.
        exclusive: Whether a point belongs to one region at most: then the likeliest of the regions and none of them
            is the answer; else every region whose probability reaches its threshold is.
        unit: Unit of the spacing: "mm", "um" or "px".
        thresholds: From which probability a point is said to belong, by region; not used where exclusive.
        spacing: Length of a step along each axis, NaN where not known (then 1 px is meant).
        inside: Packed truth values "*grid": where the answer is judged; empty = everywhere.
        probability: Packed uint8 "region *grid", 255 = certain.
        truth: Packed uint8 "region *grid", 0 or 1.
    """

    form: ClassVar[str] = "mask"
    regions: tuple[str, ...]
    exclusive: bool
    unit: str
    thresholds: Float[np.ndarray, "sample region"]
    spacing: Float[np.ndarray, "sample dim"]
    inside: Shaped[np.ndarray, " sample"]
    probability: Shaped[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]
