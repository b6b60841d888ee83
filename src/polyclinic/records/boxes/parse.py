"""Boxes around objects as users write them: a list in a cell, or the path of a file. numpy only.

Two ways are read. A list, in the cell itself or in a ``.json`` file::

    [{"label": "WBC", "box": [260, 177, 491, 376]}, {"label": "RBC", "box": [78, 336, 184, 435]}]

with left, top, right, bottom in a picture, and low corner then high corner along the axes of the array in a volume;
and the ``.xml`` files of Pascal VOC. An empty list says that nothing is there; an empty cell that nobody looked.
"""

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LARGEST = 1 << 26
"""Bytes of a file of boxes; a larger one is something else."""


@dataclass(frozen=True)
class Written:
    """The boxes of one record.

    Attributes:
        labels: The names of the objects.
        corners: Low corner, then high corner, along the axes of the file's array: in a picture down, then across.
        extent: Size of the picture by the file's own word; empty where it says none.
    """

    labels: tuple[str, ...]
    corners: Float[np.ndarray, "object corner"]
    extent: tuple[int, ...] = ()


class NotBoxes(ValueError):
    """The content is no list of boxes, or not one of those that are read."""


def read_boxes(cell: str, folder: Path) -> Written:
    """The boxes that a cell holds or points to.

    Args:
        cell: A list, or the path of a .json or .xml file.
        folder: Where relative paths start.

    Raises:
        NotBoxes: if it is something else, or the file holds something else.
        OSError: if there is no such file, or it cannot be opened.
    """
    if cell.lstrip().startswith("["):
        return _from_list(cell)
    path = folder / cell
    suffix = path.suffix.lower()
    if suffix not in (".json", ".xml"):
        raise NotBoxes
    if path.stat().st_size > _LARGEST:
        raise NotBoxes
    content = path.read_bytes()
    return _from_list(content) if suffix == ".json" else _from_voc(content)


def _from_list(content: str | bytes) -> Written:
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotBoxes from error
    if not isinstance(entries, list):
        raise NotBoxes
    labels, corners = [], []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
            raise NotBoxes
        labels.append(entry["label"].strip())
        corners.append(_corners(entry.get("box")))
    if len({len(box) for box in corners}) > 1:
        raise NotBoxes
    sides = len(corners[0]) if corners else 4
    return Written(tuple(labels), np.array(corners, dtype=np.float64).reshape(len(corners), sides))


def _corners(box: Any) -> list[float]:
    if not isinstance(box, list) or len(box) not in (4, 6):
        raise NotBoxes
    if not all(isinstance(side, int | float) and not isinstance(side, bool) and math.isfinite(side) for side in box):
        raise NotBoxes
    if len(box) == 4:
        left, top, right, bottom = box
        return [top, left, bottom, right]
    return box


def _from_voc(content: bytes) -> Written:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotBoxes  # no annotation tool writes these, and they can make a parser swell
    try:
        root = ET.fromstring(content)
        objects = list(root.iter("object"))
        labels = tuple((one.findtext("name") or "").strip() for one in objects)
        sides = [[float(one.findtext(f"bndbox/{side}", "nan")) for side in _SIDES] for one in objects]
        extent = tuple(int(root.findtext(f"size/{side}", "0")) for side in ("height", "width"))
    except (ET.ParseError, ValueError) as error:
        raise NotBoxes from error
    if root.tag != "annotation" or not all(labels) or not np.isfinite(sides).all():
        raise NotBoxes
    corners = np.array(sides, dtype=np.float64).reshape(len(labels), 4)[:, [1, 0, 3, 2]]
    return Written(labels, corners, extent if all(extent) else ())
