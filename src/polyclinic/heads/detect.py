"""Objects as boxes: where the cells, the nodules, the lesions are, and of which kind. In pictures and in volumes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field
from scipy import ndimage
from torch import Tensor, nn

from polyclinic.answers.boxes import BoxAnswer
from polyclinic.cohort.outcomes import absent_columns
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import placed_boxes
from polyclinic.errors import CohortError, Finding, ReadError, Severity, stop_on
from polyclinic.evidence.metrics.scores import ScoreCorrection, learn_scores
from polyclinic.formats.packed import nothing, pack_all, unpack
from polyclinic.geometry import BoxMarks, GridGeometry, GridKnown, Known, Lattice, Marks, Place
from polyclinic.heads import base
from polyclinic.layers.objects import detector
from polyclinic.layers.objects.boxes import suppress
from polyclinic.layers.readout import OnMaps
from polyclinic.records.boxes.boxes import BoxedObjects, read_objects
from polyclinic.study.options import Plan
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors

_ANYWHERE = 1 / 3
"""Share of the views that aim at nothing."""
_FEW = 10  # objects of a class below which there is a warning; a round number
_STRIDES = {2: 4, 3: 2}
_LEAST_LOGIT = -4.0
"""Log-odds below which nothing is kept: a chance of 2 in 100 before any correction."""
_RIM = 1.0  # points from the rim of a window within which a box may be part of a larger object


class DetectOptions(base.DenseOptions):
    """Keys of a target of kind "detect"."""

    column: str
    """Column of the boxes: a list such as [{"label": "cell", "box": [left, top, right, bottom]}], or the path of a
    .json file with one, or of an .xml file of Pascal VOC. An empty list: nothing is there. An empty cell: not known."""
    classes: tuple[str, ...] = ()
    """Names of the objects, in the order in which reports list them; by default all that occur."""
    stride: Literal["auto", 1, 2, 4, 8, 16] = "auto"
    """Points of the picture per point at which an object may be centred; "auto" is 4 in pictures and 2 in volumes.
    The smallest objects should be at least two or three such points wide."""
    overlap: float = Field(default=0.5, gt=0, lt=1)
    """Two boxes of one class that overlap more than this are taken for the same object."""
    most: int = Field(default=300, ge=1)
    """Most boxes per record."""


class DetectPlan(Plan):
    """What a detect head learned."""

    classes: tuple[str, ...]
    dim: int
    rarity: tuple[float, ...]
    """How often views aim at each class: the rarer, the more often."""
    correction: tuple[ScoreCorrection, ...] = ()
    """By class: from log-odds to the chance that the box is right, and the score from which it counts."""
    note: str = "not calibrated"


@dataclass(frozen=True)
class BoxTarget(base.Target):
    """The objects of each row.

    Attributes:
        cells: What the column holds, None where not known.
        column: Its name.
        objects: Read from it, once held against the records.
    """

    cells: Shaped[np.ndarray, " sample"]
    column: str
    objects: BoxedObjects | None = None

    @property
    def read(self) -> BoxedObjects:
        """The objects, once matched."""
        assert self.objects is not None, "match first"
        return self.objects

    def counts(self) -> Float[np.ndarray, "sample klass"]:
        """Objects of each class in each row."""
        objects = self.read
        counts = [np.bincount(one[:, 0].astype(np.int64), minlength=len(objects.classes)) for one in objects.boxes]
        return np.array(counts, dtype=np.float64).reshape(len(counts), len(objects.classes))

    def strata(self) -> Int[np.ndarray, " sample"]:
        """Whether a row holds an object of the rarest class."""
        counts = self.counts()
        rarest = int(np.argmin(np.where(counts.sum(axis=0) > 0, counts.sum(axis=0), np.inf)))
        return np.where(self.known, (counts[:, rarest] > 0).astype(np.int64), -1)

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The objects of some rows."""
        objects = self.objects
        if objects is not None:
            objects = BoxedObjects(objects.classes, objects.boxes[index], objects.empty[index], objects.outside[index])
        return replace(self, known=self.known[index], cells=self.cells[index], objects=objects)

    def check(self, place: str) -> list[Finding]:
        """Unknown outcomes, boxes of no area or beyond the record, classes with few objects."""
        objects = self.read
        column = f'{place} column "{self.column}"'
        findings = [*super().check(place), *objects.findings(column)]
        total = self.counts().sum(axis=0)
        few = [f"{name} {int(n)}" for name, n in zip(objects.classes, total, strict=True) if n < _FEW]
        if few:
            rule, found = f"a class should have at least {_FEW} objects", f"of these there are fewer: {', '.join(few)}"
            remedy = "Join them with others, or do not rely on their figures."
            findings.append(Finding("few_objects", column, rule, found, remedy, Severity.WARNING))
        return findings


@dataclass(frozen=True)
class BoxTensors(TargetTensors):
    """The objects in each view of a batch, filled up to the same number.

    Attributes:
        classes: -1 = filling.
        boxes: In points of the view.
        size: Points of the view along each axis.
    """

    classes: Int[Tensor, "batch object"]
    boxes: Float[Tensor, "batch object corner"]
    size: tuple[int, ...] = ()


@dataclass(frozen=True)
class BoxTruth(base.GridTruth):
    """Objects on the network's grid, by row: class and corners; ``rarity`` says how often views aim at a class.

    A row whose record is absent has no boxes, and as its axes are not known, not as many columns as the others.
    """

    known: Bool[np.ndarray, " sample"]
    boxes: tuple[Float[np.ndarray, "_ _"], ...]
    dim: int
    rarity: tuple[float, ...]

    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """The middle of an object, of a rare class rather than of a common one; in a third of the views nothing."""
        dim = self.dim
        rarity = np.array(self.rarity)
        points = np.full((len(index), dim), np.nan)
        for position, row in enumerate(index):
            boxes = self.boxes[row]
            if not len(boxes) or rng.random() < _ANYWHERE:
                continue
            there = np.unique(boxes[:, 0].astype(np.int64))
            klass = rng.choice(there, p=rarity[there] / rarity[there].sum())
            one = boxes[rng.choice(np.flatnonzero(boxes[:, 0] == klass)), 1:]
            points[position] = (one[:dim] + one[dim:]) / 2 - 0.5
        return points

    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> BoxTensors:
        """The boxes in some views, those of which too little is seen left out, the others cut at the rim."""
        moved = np.zeros((len(index), self.dim)) if movement.start is None else movement.start.double().numpy()
        affine = [None] * len(index) if movement.affine is None else list(movement.affine.numpy())
        views = [
            placed_boxes.in_view(self.boxes[row], start, movement.cut, one, movement.size)
            for row, start, one in zip(index, moved, affine, strict=True)
        ]
        most = max(1, *(len(view) for view in views)) if views else 1
        classes = torch.full((len(views), most), -1, dtype=torch.int64)
        boxes = torch.zeros(len(views), most, 2 * self.dim)
        for position, view in enumerate(views):
            classes[position, : len(view)] = torch.from_numpy(view[:, 0].astype(np.int64))
            boxes[position, : len(view)] = torch.from_numpy(view[:, 1:].astype(np.float32))
        return BoxTensors(torch.from_numpy(self.known[index]), classes, boxes, movement.size)


class Detect(base.Dense):
    """Where the objects of several classes are.

    The network says at each point of a coarse grid whether an object is centred there and how far its box reaches.
    A score is the chance that a box is right, learned on tune rows; from the score with the best F1 there, class by
    class, a box counts as found.
    """

    Options = DetectOptions
    Plan = DetectPlan
    form = "boxes"

    def columns(self) -> tuple[str, ...]:
        """The column of the boxes."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> BoxTarget:
        """Which rows say anything; the boxes themselves are read by ``match``.

        Raises:
            CohortError: no such column, cells that are no text, or no known cell.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        column, place = frame[self.options.column], f'{table} column "{self.options.column}"'
        if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
            rule, remedy = "must hold boxes, or paths of files with boxes", "Name the column of boxes."
            raise CohortError(Finding("not_boxes", place, rule, "it does not hold text", remedy))
        text = [cell if cell and cell.strip() else None for cell in column.cast(pl.String).to_list()]
        known = np.array([cell is not None for cell in text], dtype=bool)
        if self.plan is None and not known.any():
            found, remedy = f"all {len(text)} cells are empty", "Name another column."
            raise CohortError(Finding("no_outcome", place, "must hold the outcome", found, remedy))
        return BoxTarget(known, base.objects(text), self.options.column)

    def match(self, target: BoxTarget, facts: base.GroundFacts) -> BoxTarget:
        """The boxes, held against the pictures or volumes.

        Raises:
            CohortError: something else than boxes, boxes that are about another record, names not declared.
            ReadError: files that cannot be opened.
        """
        extents = [one.shape if isinstance(one, GridGeometry) else None for one in facts.geometry]
        classes = self.options.classes if self.plan is None else self.plan.classes
        place = f'[targets.{self.name}] column "{self.options.column}"'
        objects, table, files = read_objects(list(target.cells), extents, facts.folder, classes, place)
        if objects is None:
            raise CohortError([*table, *files]) if table else ReadError(files)
        return replace(target, objects=objects)

    def fit(self, target: BoxTarget, rows: TrainRows) -> Self:
        """Learn how rare each class is among the training rows."""
        objects = target.read
        total = target.counts()[rows.index].sum(axis=0)
        rarity = 1 / np.sqrt(np.maximum(total, 1.0))
        dim = max((one.shape[1] // 2 for one in objects.boxes), default=2)
        plan = DetectPlan(classes=objects.classes, dim=dim, rarity=tuple((rarity / rarity.sum()).tolist()))
        return type(self)(self.name, self.options, plan)

    def on_grid(self, target: BoxTarget, places: Sequence[Place | None], cache: Path | None) -> BoxTruth:
        """The boxes on the network's grid."""
        pairs = zip(target.read.boxes, places, strict=True)
        boxes = tuple(
            placed_boxes.on_grid(one, place) if isinstance(place, Lattice) else one[:0] for one, place in pairs
        )
        return BoxTruth(target.known, boxes, self.plan.dim, self.plan.rarity)

    def map_layer(self, sight: Sight) -> nn.Module:
        """A detector on the map with the step that was asked for."""
        stride = _STRIDES[sight.dim] if self.options.stride == "auto" else self.options.stride
        level = detector.level_near(sight.strides, stride)
        layer = detector.Detector(sight.channels[level], len(self.plan.classes), sight.dim)
        return OnMaps(self.options.on, "layer", layer, level)

    def loss(self, output: Float[Tensor, "batch out *grid"], target: BoxTensors, smoothing: float = 0.0) -> Loss:
        """Focal loss of the centres and distance of the boxes; ``smoothing`` has no meaning here."""
        classes = torch.where(target.known[:, None], target.classes, -1)
        objects = detector.ObjectTensors(classes, target.boxes)
        each = detector.detection_loss(output, objects, len(self.plan.classes), target.size)
        return torch.where(target.known, each, 0.0)

    def gatherer(self, place: Place) -> base.Gatherer:
        """An empty gatherer for one record."""
        assert isinstance(place, Lattice), "boxes lie on grids"
        return _Gatherer(place, len(self.plan.classes), self.options.overlap, self.options.most)

    def calibrate(
        self,
        raws: Shaped[np.ndarray, " sample"],
        target: BoxTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn on tune rows what a score means, and from which score a box counts."""
        known = [k for k in np.flatnonzero(target.known) if raws[k] is not None]
        raw, truth = [raws[k] for k in known], [target.read.boxes[k] for k in known]
        correction = learn_scores(raw, truth, len(self.plan.classes), self.plan.dim, method)
        note = "; ".join(f"{n}: {c.note}" for n, c in zip(self.plan.classes, correction, strict=True))
        plan = self.plan.model_copy(update={"correction": correction, "note": note})
        return type(self)(self.name, self.options, plan)

    def decode(self, raws: Shaped[np.ndarray, " sample"], target: BoxTarget | None) -> BoxAnswer:
        """Boxes with their chance to be right, best first."""
        classes = self.plan.classes
        correction = self.plan.correction or tuple(ScoreCorrection() for _ in classes)
        entries = 2 + 2 * self.plan.dim
        blank = np.zeros((0, entries), dtype=np.float32)
        found = pack_all([blank if raw is None else _scored(raw, correction) for raw in raws])
        truth = nothing(len(raws))
        if target is not None and target.objects is not None:
            truth[target.known] = pack_all(
                [one for one, on in zip(target.objects.boxes, target.known, strict=True) if on]
            )
        thresholds = np.tile([one.threshold for one in correction], (len(raws), 1))
        return BoxAnswer(classes, "px", thresholds, found, truth)

    def marks(self, answer: BoxAnswer, position: int) -> Marks:
        """The true boxes, and those that count as found."""
        raw = unpack(answer.predicted[position])
        counted = raw[raw[:, 0] >= answer.thresholds[position][raw[:, 1].astype(np.int64)], 1:]
        truth = unpack(answer.truth[position]) if answer.truth[position] else None
        return BoxMarks(answer.classes, truth, counted)

    @classmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> base.Outcomes:
        """A box around every object; all are called "spot"."""
        cells = [_example_cell(one) if isinstance(one, GridKnown) else None for one in known]
        return pl.DataFrame({f"{name}_boxes": cells}, schema={f"{name}_boxes": pl.String}), {"column": f"{name}_boxes"}


class _Gatherer:
    """Collects the boxes of all windows of one record."""

    def __init__(self, place: Lattice, classes: int, overlap: float, most: int) -> None:
        self._place, self._classes, self._overlap, self._most = place, classes, overlap, most
        self._found: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def add(self, output: Float[Tensor, "batch out *grid"], movement: Movement) -> None:
        """Read the boxes off some windows; one that touches the rim of a window may be part of a larger object."""
        dim = len(self._place.shape)
        starts = torch.zeros(len(output), dim) if movement.start is None else movement.start.cpu()
        shape = torch.tensor(self._place.shape)
        for view, start in zip(output.float().cpu(), starts, strict=True):
            logit, klass, boxes = detector.read_off(view, self._classes, movement.size, self._most)
            kept = logit > _LEAST_LOGIT
            low, high = boxes[kept].chunk(2, dim=1)
            end = torch.tensor(movement.size)
            # A rim of the window that is one of the record cuts nothing off.
            touches = ((low < _RIM) & (start > 0)) | ((high > end - _RIM) & (start + end < shape))
            self._found.append((logit[kept], klass[kept], boxes[kept] + start.repeat(2), touches.any(dim=1)))

    def close(self) -> Float[np.ndarray, "box entry"]:
        """Log-odds, class and corners in the file, best first."""
        dim = len(self._place.shape)
        if not self._found:
            return np.zeros((0, 2 + 2 * dim), dtype=np.float32)
        logit, klass, boxes, touches = (torch.cat([one[k] for one in self._found]) for k in range(4))
        kept = suppress(boxes, logit, klass, self._overlap, touches)
        found = torch.cat([logit[:, None], klass[:, None].float(), boxes], dim=1)[kept].numpy().astype(np.float64)
        found[:, 2:] = placed_boxes.in_file(found[:, 2:], self._place)
        found = found[(found[:, 2 + dim :] > found[:, 2 : 2 + dim]).all(axis=1)]
        return found[np.argsort(-found[:, 0], kind="stable")][: self._most].astype(np.float32)


def _scored(
    raw: Float[np.ndarray, "box entry"], correction: Sequence[ScoreCorrection]
) -> Float[np.ndarray, "box entry"]:
    """Log-odds turned into chances, best first."""
    scored = raw.astype(np.float32).copy()
    for klass, one in enumerate(correction):
        mine = raw[:, 1] == klass
        scored[mine, 0] = one.scores(raw[mine, 0])
    return scored[np.argsort(-scored[:, 0], kind="stable")]


def _example_cell(known: GridKnown) -> str:
    found = [place for place in ndimage.find_objects(known.objects) if place is not None]
    corners = [[one.start for one in place] + [one.stop for one in place] for place in found]
    if known.objects.ndim == 2:
        corners = [[left, top, right, bottom] for top, left, bottom, right in corners]
    return json.dumps([{"label": "spot", "box": box} for box in corners])
