"""Objects in pictures and volumes: what a column of boxes says, held against the files that the boxes are about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped

from polyclinic.cohort.outcomes import rows_where
from polyclinic.errors import Finding, Severity
from polyclinic.records.boxes.parse import NotBoxes, Written, read_boxes

_SLACK = 1.0
"""Tools count pixels from 0 or from 1: so far a box may reach beyond the picture."""


@dataclass(frozen=True)
class BoxedObjects:
    """The objects of each row, as numbers.

    Attributes:
        classes: Names.
        boxes: "object 1+2*dim" by row: class, low corner, high corner along the axes of the file's array, within it
            and of some size; empty where nothing is there or nothing is known.
        empty: Rows with a box without any extent; it is left out.
        outside: Rows with a box that reaches beyond the file; it is cut, or left out where it lies wholly beyond.
    """

    classes: tuple[str, ...]
    boxes: Shaped[np.ndarray, " sample"]
    empty: Bool[np.ndarray, " sample"]
    outside: Bool[np.ndarray, " sample"]

    def findings(self, place: str) -> list[Finding]:
        """What a user may accept: boxes that had to be changed or left out."""
        found = []
        if rows := rows_where(self.empty):
            rule, seen = "every box must have some extent", f"{len(rows)} rows have boxes of no area"
            remedy = 'Correct them, or accept "empty_boxes" with the reason: these boxes are then left out.'
            found.append(Finding("empty_boxes", place, rule, seen, remedy, Severity.REFUSED, rows))
        if rows := rows_where(self.outside):
            rule, seen = "every box must lie in its record", f"boxes of {len(rows)} rows reach beyond it"
            remedy = 'Correct them, or accept "boxes_outside" with the reason: they are then cut at the rim.'
            found.append(Finding("boxes_outside", place, rule, seen, remedy, Severity.REFUSED, rows))
        return found


def read_objects(
    cells: Sequence[str | None],
    extents: Sequence[tuple[int, ...] | None],
    folder: Path,
    classes: tuple[str, ...],
    place: str,
) -> tuple[BoxedObjects | None, list[Finding], list[Finding]]:
    """The objects of all rows.

    Args:
        cells: What the column holds; None = not known.
        extents: Size of each row's picture or volume, None where it is absent.
        folder: Where relative paths start.
        classes: The names that may come; empty = whatever comes.
        place: Table and column, for messages.

    Returns:
        The objects, None where something stops; findings on the table; findings on files.
    """
    read: list[Written | None] = [None] * len(cells)
    broken, lost = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        try:
            read[row] = None if cell is None else read_boxes(cell, folder)
        except NotBoxes:
            broken[row] = True
        except (OSError, ValueError):  # the path itself may be impossible
            lost[row] = True
    table = [*_unusable(broken, place), *_misfits(read, extents, classes, place)]
    files = _lost(lost, place)
    if table or files:
        return None, table, files
    names = classes or tuple(sorted({label for one in read if one is not None for label in one.labels}))
    if not names:
        rule, found = "must hold objects", "no row has a box"
        return None, [Finding("no_objects", place, rule, found, "Name the column of boxes.")], []
    return _objects(read, extents, names), [], []


def _objects(
    read: Sequence[Written | None], extents: Sequence[tuple[int, ...] | None], names: tuple[str, ...]
) -> BoxedObjects:
    position = {name: k for k, name in enumerate(names)}
    boxes = np.empty(len(read), dtype=object)
    empty, outside = np.zeros(len(read), dtype=bool), np.zeros(len(read), dtype=bool)
    for row, one in enumerate(read):
        extent = extents[row]
        if one is None or extent is None or not one.labels:
            boxes[row] = np.zeros((0, 1 + 2 * (2 if extent is None else len(extent))), dtype=np.float32)
            continue
        low, high = np.split(one.corners, 2, axis=1)
        shape = np.array(extent, dtype=np.float64)
        flat = (high <= low).any(axis=1)
        beyond = (low < -_SLACK).any(axis=1) | (high > shape + _SLACK).any(axis=1)
        low, high = np.clip(low, 0, shape), np.clip(high, 0, shape)
        held = ~flat & (high > low).all(axis=1)
        empty[row], outside[row] = flat.any(), beyond.any()
        klass = np.array([position[label] for label in one.labels], dtype=np.float64)
        boxes[row] = np.concatenate([klass[:, None], low, high], axis=1)[held].astype(np.float32)
    return BoxedObjects(names, boxes, empty, outside)


def _unusable(broken: Bool[np.ndarray, " sample"], place: str) -> list[Finding]:
    rows = rows_where(broken)
    rule = 'every cell must hold boxes: a list such as [{"label": "cell", "box": [left, top, right, bottom]}]'
    rule += ", or the path of a .json file with one or of an .xml file of Pascal VOC"
    found, remedy = f"{len(rows)} cells hold something else", "Correct the cells; an empty one means: not known."
    return [Finding("not_boxes", place, rule, found, remedy, rows=rows)] if rows else []


def _lost(lost: Bool[np.ndarray, " sample"], place: str) -> list[Finding]:
    rows = rows_where(lost)
    rule, found = "every path must lead to a file of boxes", f"{len(rows)} do not, or the file cannot be opened"
    remedy = "Correct the paths; they start at the table's folder."
    return [Finding("unreadable_boxes", place, rule, found, remedy, rows=rows)] if rows else []


def _misfits(
    read: Sequence[Written | None], extents: Sequence[tuple[int, ...] | None], classes: tuple[str, ...], place: str
) -> list[Finding]:
    """Boxes that cannot be about these records."""
    pairs = list(zip(read, extents, strict=True))

    def where(says: Callable[[Written, tuple[int, ...]], bool]) -> tuple[int, ...]:
        hits = [one is not None and extent is not None and says(one, extent) for one, extent in pairs]
        return rows_where(np.array(hits, dtype=bool))

    found = []
    if rows := where(lambda one, extent: bool(one.labels) and one.corners.shape[1] != 2 * len(extent)):
        rule, seen = "a box must have two corners on the axes of its record", f"boxes of {len(rows)} rows have others"
        remedy = "Give four numbers in a picture, six in a volume."
        found.append(Finding("wrong_axes", place, rule, seen, remedy, rows=rows))
    if rows := where(lambda one, extent: bool(one.extent) and one.extent != extent):
        rule, seen = "a file of boxes must be about a picture of this size", f"{len(rows)} say another size"
        found.append(Finding("another_size", place, rule, seen, "Check which file belongs to which.", rows=rows))
    if rows := where(lambda one, extent: bool(np.greater(*np.split(one.corners, 2, axis=1)).any())):
        rule, seen = "the high corner must not lie before the low one", f"it does in {len(rows)} rows"
        remedy = "Write the low corner, then the high corner; not a width and a height."
        found.append(Finding("reversed_boxes", place, rule, seen, remedy, rows=rows))
    if classes and (rows := where(lambda one, extent: not set(one.labels) <= set(classes))):
        rule, seen = f"every label must be one of {', '.join(classes)}", f"{len(rows)} rows have others"
        found.append(Finding("unknown_class", place, rule, seen, "Correct the labels, or declare them.", rows=rows))
    return found
