"""A picture with outlines of the truth and of an answer, as PNG for the report. No torch."""

import numpy as np
from jaxtyping import Bool, Shaped
from PIL import Image

from polyclinic.formats.pictures.frame import Frame
from polyclinic.geometry import Marks
from polyclinic.records.images.png import png_bytes
from polyclinic.records.images.resize import resized
from polyclinic.translations.phrase import Phrase

TRUTH, ANSWER, BOTH = (86, 180, 233), (230, 159, 0), (255, 255, 255)
"""Told apart with any colour vision. Source: Okabe M, Ito K. Color universal design, 2008 (sky blue, orange)."""
_LEGEND = Phrase("truth blue, answer orange, white where they agree")
_LEAST, _MOST = 384, 768

Plane = Bool[np.ndarray, "height width"]


def caption(name: str) -> Phrase:
    """What the picture shows, and what its colours mean."""
    return Phrase("{name}: {words}", name=name, words=_LEGEND)


def outlined_png(frame: Frame, marks: Marks) -> bytes:
    """The bytes of a PNG: outlines of regions or objects, or boxes; small pictures are enlarged, large ones reduced."""
    height, width = frame.pixels.shape[:2]
    longest = max(height, width)
    scale = max(1, _LEAST // longest) if longest < _MOST else _MOST / longest
    extent = (max(1, round(height * scale)), max(1, round(width * scale)))
    colours = np.rint(np.clip(resized(frame, extent, 3), 0, 1) * 255).astype(np.uint8)
    truth, answer = (_lines(marks, array, (height, width), extent) for array in (marks.truth, marks.predicted))
    for plane, colour in ((truth, TRUTH), (answer, ANSWER), (truth & answer, BOTH)):
        colours[plane] = colour
    return png_bytes(Image.fromarray(colours))


def _lines(
    marks: Marks, array: Shaped[np.ndarray, "..."] | None, source: tuple[int, int], extent: tuple[int, int]
) -> Plane:
    """Where a line runs."""
    lines = np.zeros(extent, dtype=bool)
    if array is None:
        return lines
    for box in marks.boxes(array):
        lines |= _frame(box[1:], source, extent)
    for plane in marks.planes(array):
        nearest = (np.arange(n) * side // n for n, side in zip(extent, plane.shape, strict=True))
        lines |= _outline(plane[np.ix_(*nearest)])
    return lines


def _outline(plane: Shaped[np.ndarray, "height width"]) -> Plane:
    """Points of a thing that touch another thing or nothing; also where it is cut off by the border."""
    wide = np.pad(plane, 1)
    middle = wide[1:-1, 1:-1]
    sides = (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:])
    return np.asarray((middle != 0) & np.logical_or.reduce([side != middle for side in sides]))


def _frame(corners: Shaped[np.ndarray, "4"], source: tuple[int, int], extent: tuple[int, int]) -> Plane:
    """The four sides of a box; corners are those of its area, low row and column, then high."""
    scale = np.array([n / side for n, side in zip(extent, source, strict=True)] * 2)
    top, left, bottom, right = np.rint(corners * scale).astype(int).tolist()
    filled = np.zeros(extent, dtype=np.uint8)
    filled[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
    return _outline(filled)
