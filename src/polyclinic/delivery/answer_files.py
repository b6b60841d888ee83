"""Answers that are files: masks in the geometry and format of the source, boxes as JSON, cells with their forms."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import singledispatch
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Float

from polyclinic.answers.base import Answer
from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.errors import BundleError, Finding, ReadError
from polyclinic.evidence.metrics.morphology import table
from polyclinic.evidence.metrics.overlap import decided
from polyclinic.formats.disk import write_file, writing_to
from polyclinic.formats.mask_files import write_mask
from polyclinic.formats.packed import unpack
from polyclinic.formats.read_scan import read_volume
from polyclinic.records.images.decoded import decode

_AXES = {2: ("row", "column"), 3: ("i", "j", "k")}


@dataclass(frozen=True)
class Place:
    """Where the files of one answer shall lie, and what they are about.

    Attributes:
        folder: Folder of the files.
        stem: Start of their names: row and target, nothing of the patient.
        source: The record's own file or folder, or ``file.npz#array[index]``; None where there is none.
    """

    folder: Path
    stem: str
    source: str | None

    def file(self, ending: str) -> Path:
        """The path of one of the files."""
        return self.folder / f"{self.stem}{ending}"


def files_of(out: Path) -> Path:
    """The folder of the files that belong to a table of answers."""
    return out.with_name(f"{out.stem}.files")


@contextmanager
def files_beside(out: Path) -> Iterator[Path]:
    """A folder to write files into, that appears as ``<out without ending>.files`` in the end unless it is empty.

    Raises:
        BundleError: if the folder cannot be made.
    """
    folder = files_of(out)
    draft = folder.with_name(f".{folder.name}.part")
    with writing_to(out.parent):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
    try:
        yield draft
        with writing_to(out.parent):
            draft.rename(folder) if any(draft.iterdir()) else draft.rmdir()
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def refuse_folder(folder: Path) -> None:
    """Raise if something is in the way of a folder of files."""
    if folder.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(folder), "answers overwrite nothing", "it exists", remedy))


def publish(out: Path, content: bytes) -> None:
    """Write the table of answers; where it cannot be written its files go too.

    Raises:
        BundleError: if the disk is full or may not be written to.
    """
    try:
        write_file(out, content)
    except (BundleError, OSError):
        shutil.rmtree(files_of(out), ignore_errors=True)
        raise


def deposit_all(
    name: str, answer: Answer, rows: Sequence[int], sources: Sequence[str | None], folder: Path
) -> list[str]:
    """The files of every answer to one question; their names by row, divided by " | ", "" where there is none.

    Args:
        name: Of the target, in the user's word.
        answer: For all rows.
        rows: Positions in the user's table, from 1.
        sources: File of each row's record, or None.
        folder: Where to write.
    """
    word = re.sub(r"[^\w-]+", "-", name)
    places = [Place(folder, f"{row:05d}-{word}", source) for row, source in zip(rows, sources, strict=True)]
    return [" | ".join(write_answer_files(answer, position, place)) for position, place in enumerate(places)]


@singledispatch
def write_answer_files(answer: Answer, position: int, place: Place) -> tuple[str, ...]:
    """Write one row's answer as files; their names. Most forms have none; a plug-in registers its own."""
    return ()


@write_answer_files.register
def _(answer: MaskAnswer, position: int, place: Place) -> tuple[str, ...]:
    if not answer.probability[position] or not unpack(answer.probability[position]).size:
        return ()
    layers = decided(answer, position).astype(np.uint8)
    like = None if layers.ndim == 3 else place.source
    if layers.ndim > 3 and like is None:
        return ()
    whole = layers[0] if len(layers) == 1 else layers
    try:
        return (_written(whole, like, place.file(""), answer.regions),)
    except ReadError as refusal:
        if refusal.findings[0].name == "empty_mask":  # a segmentation object must hold something; sizes of 0 tell it
            return ()
        if refusal.findings[0].name != "overlapping_regions":
            raise
    words = [re.sub(r"[^\w-]+", "-", region) for region in answer.regions]
    pairs = zip(words, answer.regions, layers, strict=True)
    return tuple(_written(layer, like, place.file(f"-{word}"), (region,)) for word, region, layer in pairs)


def _written(mask: np.ndarray, like: str | None, out: Path, names: tuple[str, ...]) -> str:
    """The file of one mask; its name. For DICOM in one file there is no segmentation object: it becomes NIfTI."""
    told = version("polyclinic")
    try:
        return write_mask(mask, like, out, names, told).name
    except ReadError as refusal:
        if refusal.findings[0].name != "unknown_form" or like is None:
            raise
    return write_mask(mask, read_volume(like), out, names, told).name


@write_answer_files.register
def _(answer: BoxAnswer, position: int, place: Place) -> tuple[str, ...]:
    if not answer.predicted[position]:
        return ()
    boxes = unpack(answer.predicted[position])
    dim = (boxes.shape[1] - 2) // 2
    thresholds = dict(zip(answer.classes, answer.thresholds[position].tolist(), strict=True))
    found = [_box(box, dim, answer.classes[int(box[1])], answer.thresholds[position]) for box in boxes]
    document = {"unit": answer.unit, "axes": _AXES[dim], "thresholds": thresholds, "boxes": found}
    write_file(place.file(".json"), f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode())
    return (place.file(".json").name,)


def _box(
    box: Float[np.ndarray, " entry"], dim: int, word: str, thresholds: Float[np.ndarray, " klass"]
) -> dict[str, object]:
    low, high = (np.round(part.astype(np.float64), 2).tolist() for part in (box[2 : 2 + dim], box[2 + dim :]))
    found = bool(box[0] >= thresholds[int(box[1])])
    return {"class": word, "score": round(float(box[0]), 4), "counted": found, "low": low, "high": high}


@write_answer_files.register
def _(answer: CellsAnswer, position: int, place: Place) -> tuple[str, ...]:
    labels = unpack(answer.predicted[position]) if answer.predicted[position] else np.zeros(0)
    if not labels.size:
        return ()
    image = _written(labels, None, place.file(""), ())
    steps = answer.spacing[position]
    spacing = (float(steps[0]), float(steps[1])) if np.isfinite(steps).all() else None
    shapes = table(labels, _pixels(place.source, labels.shape), spacing, answer.unit)
    scores = unpack(answer.scores[position]) if answer.scores[position] else np.zeros(0)
    if len(scores) == len(shapes):
        shapes = shapes.with_columns(score=np.round(scores.astype(np.float64), 4))
    write_file(place.file(".csv"), shapes.write_csv(float_precision=5).encode())
    return (image, place.file(".csv").name)


def _pixels(source: str | None, shape: tuple[int, ...]) -> Float[np.ndarray, "channel row column"] | None:
    """The picture itself, for brightness and texture; None where it is none, or of another size."""
    frame = None if source is None else decode([source], Path()).frame(0)
    if frame is None or frame.pixels.shape[:2] != shape:
        return None
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[:, :, None]
    return np.moveaxis(pixels, 2, 0).astype(np.float32)
