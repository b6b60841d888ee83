"""A slice of a scan as a picture for the report, with outlines of what was found and of the truth. No torch."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from PIL import Image

from polyclinic.geometry import GridGeometry, Lattice, Marks, points_in_working, to_working
from polyclinic.records.images.png import png_bytes
from polyclinic.records.scans.lattices import lattice
from polyclinic.records.scans.scans import Scan
from polyclinic.translations.phrase import Phrase

_SIDE = 256
_COLOURS = ("#e4572e", "#3fa7d6", "#fac05e", "#59cd90", "#b388eb", "#f79d84")
_LEVELS = (1.0, 99.0)
"""Percentiles from black to white: single bright points do not darken the rest."""
_VIEWS = ("sagittal", "coronal", "axial")
LEGEND = Phrase("full line: truth, broken line: answer")


@dataclass(frozen=True)
class Slice:
    """One plane of a scan, upright as a reader of films sees it.

    Attributes:
        axis: Which upright axis it is cut across: 0 sagittal, 1 coronal, 2 axial.
        index: Which plane along it, from 0.
        count: How many planes there are.
        place: The scan turned upright.
    """

    axis: int
    index: int
    count: int
    place: Lattice

    @property
    def words(self) -> Phrase:
        """Where it lies."""
        located = self.place.source.affine is not None
        where = {"n": self.index + 1, "all": self.count}
        if not located:
            return Phrase("slice {n} of {all}", **where)
        view = Phrase(_VIEWS[self.axis])
        if not self.axis:
            return Phrase("{view} slice {n} of {all}", view=view, **where)
        return Phrase("{view} slice {n} of {all}, the patient's right on the left", view=view, **where)

    def caption(self, name: str, marked: bool = False) -> Phrase:
        """What the picture shows, and how to read what is drawn on it where it is ``marked``."""
        if not marked:
            return Phrase("{name}: {words}", name=name, words=self.words)
        return Phrase("{name}: {words}; {legend}", name=name, words=self.words, legend=LEGEND)

    def of(self, values: Shaped[np.ndarray, "i j k"], order: int = 0) -> Shaped[np.ndarray, "row column"]:
        """This plane of an array in the file's geometry."""
        plane: Shaped[np.ndarray, "column row"]
        plane = np.take(to_working(values, self.place, order=order), self.index, axis=self.axis)
        turned: Shaped[np.ndarray, "row column"] = plane.T[::-1]
        return turned[:, ::-1] if self.place.source.affine is not None and self.axis else turned


def choose_slice(geometry: GridGeometry, marks: Marks | None = None) -> Slice:
    """The plane across the coarsest axis (else the last) with most of the truth, or of the answer; else the middle."""
    place = lattice(geometry, None, upright=True)
    steps = place.spacing or (1.0, 1.0, 1.0)
    axis = max(range(3), key=lambda n: (round(steps[n], 3), n))
    weight = np.zeros(place.shape[axis])
    if marks is not None:
        for array in (marks.truth, marks.predicted):
            if array is not None and not weight.any():
                weight = _along(marks, array, place, axis)
    index = int(weight.argmax()) if weight.any() else place.shape[axis] // 2
    return Slice(axis, index, place.shape[axis], place)


def slice_png(scan: Scan, where: Slice, heat: Float[np.ndarray, "i j k"] | None = None) -> bytes:
    """The plane in grey, percentiles 1 to 99 of it from black to white; red and blue where an explanation points."""
    grey = _grey(where.of(scan.values))
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    if heat is not None:
        level = where.of(heat) / max(float(np.abs(heat).max(initial=0)), 1e-12)
        colour = np.where(level[:, :, None] > 0, (214, 38, 41), (33, 102, 171))
        opacity = 0.55 * np.abs(level)[:, :, None]
        picture = np.rint(picture * (1 - opacity) + colour * opacity).astype(np.uint8)
    return _png(picture, _scaled(where))


def slice_svg(scan: Scan, where: Slice, marks: Marks) -> bytes:
    """The plane as SVG: a full line around the truth, a broken one around what the model found, a colour a name."""
    plane = where.of(scan.values)
    height, width = plane.shape
    across, down = _scaled(where)
    image = base64.b64encode(_png(np.repeat(_grey(plane)[:, :, None], 3, axis=2), (across, down)))
    lines = [
        *_lines(where, marks, marks.truth, ""),
        *_lines(where, marks, marks.predicted, ' stroke-dasharray="3 2"'),
    ]
    legend = "".join(
        f'<tspan fill="{_COLOURS[n % len(_COLOURS)]}">{escape(name)} </tspan>' for n, name in enumerate(marks.names)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down + 18}" width="{across}">'
        f'<image width="{across}" height="{down}" href="data:image/png;base64,{image.decode()}"/>'
        f'<g transform="scale({across / width:.5f} {down / height:.5f})" fill="none" stroke-width="1.6">'
        f"{''.join(lines)}</g>"
        f'<text x="2" y="{down + 13}" font-size="11" font-family="sans-serif">{legend}</text></svg>'
    ).encode()


def _along(marks: Marks, array: Shaped[np.ndarray, "..."], place: Lattice, axis: int) -> Float[np.ndarray, " plane"]:
    """How much of the marks lies on each plane."""
    weight = np.zeros(place.shape[axis])
    for low, high in _corners(marks.boxes(array), place):
        weight[max(0, round(low[axis])) : max(0, round(high[axis])) + 1] += 1
    other = tuple(n for n in range(3) if n != axis)
    if planes := marks.planes(array):
        inside = np.asarray(np.logical_or.reduce([plane != 0 for plane in planes]), dtype=np.uint8)
        weight += to_working(inside, place).sum(axis=other, dtype=np.float64)
    return weight


def _lines(where: Slice, marks: Marks, array: Shaped[np.ndarray, "..."] | None, style: str) -> list[str]:
    if array is None:
        return []
    planes = [(n, where.of(plane)) for n, plane in enumerate(marks.planes(array)[: len(marks.names)])]
    boxes = [_rectangle(where, n, low, high, style) for n, low, high in _crossed(where, marks.boxes(array))]
    return boxes + [
        f'<path d="{_edges(plane)}" stroke="{_COLOURS[n % len(_COLOURS)]}" vector-effect="non-scaling-stroke"{style}/>'
        for n, plane in planes
        if plane.any()
    ]


def _edges(plane: Shaped[np.ndarray, "row column"]) -> str:
    """Lines along the pixel edges where the value changes, straight runs joined."""
    rows, columns = plane.shape
    padded = np.zeros((rows + 2, columns + 2), dtype=np.int64)
    padded[1:-1, 1:-1] = plane
    level = padded[1:, 1:-1] != padded[:-1, 1:-1]
    upright = padded[1:-1, 1:] != padded[1:-1, :-1]
    across = [f"M{first} {row}H{last}" for row, first, last in _runs(level)]
    down = [f"M{column} {first}V{last}" for column, first, last in _runs(upright.T)]
    return "".join([*across, *down])


def _runs(lines: Bool[np.ndarray, "line point"]) -> list[tuple[int, int, int]]:
    padded = np.zeros((lines.shape[0], lines.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = lines
    change = np.diff(padded, axis=1)
    begin, end = np.argwhere(change == 1), np.argwhere(change == -1)
    return [(int(b[0]), int(b[1]), int(e[1])) for b, e in zip(begin, end, strict=True)]


Corner = Float[np.ndarray, " axis"]


def _corners(boxes: Shaped[np.ndarray, "box side"], place: Lattice) -> list[tuple[Corner, Corner]]:
    ends = [points_in_working(box[1:].reshape(2, 3), place) for box in boxes]
    return [(pair.min(axis=0), pair.max(axis=0)) for pair in ends]


def _crossed(where: Slice, boxes: Shaped[np.ndarray, "box side"]) -> list[tuple[int, Corner, Corner]]:
    """Boxes that the plane cuts through."""
    found = zip(boxes[:, 0].astype(int).tolist(), _corners(boxes, where.place), strict=True)
    at = where.index
    return [(name, low, high) for name, (low, high) in found if low[where.axis] - 0.5 <= at <= high[where.axis] + 0.5]


def _rectangle(where: Slice, name: int, low: Corner, high: Corner, style: str) -> str:
    column, row = (n for n in range(3) if n != where.axis)
    mirrored = where.place.source.affine is not None and where.axis > 0
    width = where.place.shape[column]
    left = width - 1 - high[column] if mirrored else low[column]
    top = where.place.shape[row] - 1 - high[row]
    across, down = high[column] - low[column], high[row] - low[row]
    return (
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{across:.2f}" height="{down:.2f}" '
        f'stroke="{_COLOURS[name % len(_COLOURS)]}" vector-effect="non-scaling-stroke"{style}/>'
    )


def _grey(plane: Shaped[np.ndarray, "row column"]) -> UInt8[np.ndarray, "row column"]:
    low, high = np.percentile(plane, _LEVELS)
    level = (plane.astype(np.float32) - low) / max(high - low, 1e-6)
    return np.asarray(np.rint(np.clip(level, 0, 1) * 255), dtype=np.uint8)


def _scaled(where: Slice) -> tuple[int, int]:
    """Pixels across and down: the longer side 256, true to the patient where steps differ."""
    column, row = (n for n in range(3) if n != where.axis)
    steps: Sequence[float] = where.place.spacing or (1.0, 1.0, 1.0)
    sides = np.array([where.place.shape[column] * steps[column], where.place.shape[row] * steps[row]])
    across, down = np.maximum(1, np.rint(sides * _SIDE / sides.max())).astype(int).tolist()
    return across, down


def _png(picture: UInt8[np.ndarray, "row column 3"], extent: tuple[int, int]) -> bytes:
    return png_bytes(Image.fromarray(picture).resize(extent, Image.Resampling.BICUBIC))
