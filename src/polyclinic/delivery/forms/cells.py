"""Cells one by one, for new patients: how many and how large, a picture of their numbers, a table of their shapes."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.cells import CellsAnswer
from polyclinic.delivery.figures.counted import found_of_hundred
from polyclinic.delivery.forms.base import AnswerFiles, AnswerLimits, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.mask_file import write_like
from polyclinic.delivery.number_columns import counted, known
from polyclinic.evidence.conformal import half_width
from polyclinic.evidence.metrics.morphology import table
from polyclinic.evidence.records import TargetEvidence
from polyclinic.formats.disk import write_file
from polyclinic.formats.packed import unpack
from polyclinic.records.images.decoded import decode
from polyclinic.translations.phrase import Phrase


class CellsDelivery(Delivery):
    """Delivers a ``CellsAnswer``."""

    record_metric = "aji"
    listed = True

    def columns(self, answer: CellsAnswer, limits: AnswerLimits) -> Columns:
        """How many cells there are, with an interval, and their mean area."""
        half = half_width(_cells(limits.tune.predicted)[0], _cells(limits.tune.truth)[0], limits.confidence)
        cells, points = _cells(answer.predicted)
        step = np.prod(np.where(np.isfinite(answer.spacing), answer.spacing, 1.0), axis=1)
        measured = answer.unit != "px" and bool(np.isfinite(answer.spacing).all())
        mean = points * (step if measured else 1.0)
        return {**counted("cells", cells, half), f"mean_area_{answer.unit if measured else 'px'}2": known(mean)}

    def first(self, target: TargetEvidence) -> Element:
        """How many of 100 are found and missed, and how many of 100 marks are wrong."""
        words = (Phrase("of 100 true cells"), Phrase("of 100 true cells"), Phrase("of 100 that the model draws"))
        pair = ("cell_sensitivity", "cell_precision")
        return found_of_hundred(target, Phrase("Of the cells in the pictures"), pair, words) or super().first(target)

    def files(self, answer: CellsAnswer, position: int, files: AnswerFiles) -> tuple[str, ...]:
        """The numbers of the cells as a picture, and a row of figures for each cell."""
        labels = unpack(answer.predicted[position]) if answer.predicted[position] else np.zeros(0)
        if not labels.size:
            return ()
        image = write_like(labels, None, files.path(""), ())
        steps = answer.spacing[position]
        spacing = (float(steps[0]), float(steps[1])) if np.isfinite(steps).all() else None
        shapes = table(labels, _pixels(files.source, labels.shape), spacing, answer.unit)
        scores = unpack(answer.scores[position]) if answer.scores[position] else np.zeros(0)
        if len(scores) == len(shapes):
            shapes = shapes.with_columns(score=np.round(scores.astype(np.float64), 4))
        write_file(files.path(".csv"), shapes.write_csv(float_precision=5).encode())
        return (image, files.path(".csv").name)


def _cells(packed: Shaped[np.ndarray, " sample"]) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """How many cells a picture has and how many points each of them on average; NaN where not known."""
    number, points = np.full(len(packed), np.nan), np.full(len(packed), np.nan)
    for position, content in enumerate(packed):
        grid = unpack(content) if content else np.zeros(0)
        if grid.size:
            inside = grid[grid != 0]
            number[position] = len(np.unique(inside))
            points[position] = len(inside) / number[position] if len(inside) else np.nan
    return number, points


def _pixels(source: str | None, shape: tuple[int, ...]) -> Float[np.ndarray, "channel row column"] | None:
    """The picture itself, for brightness and texture; None where it is none, or of another size."""
    frame = None if source is None else decode([source], Path()).frame(0)
    if frame is None or frame.pixels.shape[:2] != shape:
        return None
    pixels = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[:, :, None]
    return np.moveaxis(pixels, 2, 0).astype(np.float32)
