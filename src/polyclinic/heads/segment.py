"""Where something is, point by point: an organ, a tumour and its core, vessels; on pictures and on scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from polyclinic.answers.mask import MaskAnswer
from polyclinic.cohort.outcomes import absent_columns
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.window_stitching import Gathered
from polyclinic.errors import CohortError, Finding, stop_on
from polyclinic.evidence.metrics.softening import ProbabilityRecord, choose, soften
from polyclinic.formats.columns.column_types import paths
from polyclinic.formats.packed import nothing, pack, unpack
from polyclinic.geometry import GridGeometry, GridKnown, Known, Lattice, Marks, Place, RegionMarks
from polyclinic.heads import base
from polyclinic.layers.maps.moved import moved
from polyclinic.layers.maps.overlap_loss import graded_loss
from polyclinic.layers.maps.point_outputs import PointOutputs
from polyclinic.layers.readout import OnMaps
from polyclinic.records.examples import masks as synthetic_masks
from polyclinic.records.masks import field_of_view as fields
from polyclinic.records.masks import regions as declared
from polyclinic.records.masks.field_of_view import FieldsOfView
from polyclinic.records.masks.masks import ColumnMasks, Region, load, planes
from polyclinic.records.masks.resampled import ResampledMasks, resample_masks
from polyclinic.study.options import Plan
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors

_AIMED = 0.5  # chance that a view is aimed at a region: half of them still show what is usual
_WHOLE = 0.999  # of a point must have been looked at; 1 less the rounding of interpolation


class SegmentOptions(base.DenseOptions):
    """Keys of a target of kind "segment"."""

    column: str | dict[str, str]
    """Column with the path of each mask, a label image; or a column for each region, as in {liver = "liver_mask"}."""
    regions: Literal["auto"] | tuple[str, ...] | dict[str, int | tuple[int, ...]] = "auto"
    """Names of labels 1, 2, ... in order, or of labels, as in {core = 1, whole = [1, 2]}; "auto" takes labels found."""
    overlapping: bool = False
    """Whether a point may belong to several regions."""
    within: str | None = None
    """Column with the path of a mask of where to look (a field of view): nothing else is learned from or judged."""


class SegmentPlan(Plan):
    """What a segment head learned.

    Attributes:
        regions: Name, layer and labels of each.
        shares: Share of the points of training records that belong to each.
        unit: Of the spacing: "mm", "um" or "px".
        dim: Axes of the grid.
        thresholds: From which probability a point belongs, where regions overlap.
        lit_overlap: Least overlap of a field of view with the lit part of its picture.
        temperature: Above 1 makes answers milder.
        note: How both came about.
    """

    regions: tuple[Region, ...]
    shares: tuple[float, ...]
    unit: str
    dim: int
    thresholds: tuple[float, ...]
    lit_overlap: float = 0.0
    temperature: float = 1.0
    note: str = "not calibrated"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(region.name for region in self.regions)


@dataclass(frozen=True)
class MaskTarget(base.Target):
    """The masks of all rows.

    Attributes:
        cells: Files of each row's mask.
        within: File of each row's field of view.
        table: The user's word for the table.
        geometry: Grid of each row's record, once matched.
        files: What the files hold, once matched.
        field: The same of the fields of view.
    """

    cells: tuple[tuple[str | None, ...], ...]
    within: tuple[tuple[str | None, ...], ...]
    table: str
    geometry: tuple[GridGeometry | None, ...] = ()
    files: ColumnMasks | None = None
    field: FieldsOfView | None = None

    @property
    def masks(self) -> ColumnMasks:
        """What the files hold."""
        assert self.files is not None, "match first"
        return self.files

    def looked_at(self, row: int) -> Bool[np.ndarray, "*grid"] | None:
        """Where to look, in the geometry of the file; None = everywhere."""
        return None if self.field is None else self.field.row(row)

    def check_new(self) -> list[Finding]:
        """New patients whose field of view is lacking."""
        return [] if self.field is None else self.field.missing_masks(self.geometry)

    def planes(self, row: int, regions: tuple[Region, ...]) -> Shaped[np.ndarray, " region *grid"]:
        """The regions of a row that is known, in the geometry of its file."""
        layers = self.masks.row(row)
        assert layers is not None
        return planes(layers, regions)

    def strata(self) -> Int[np.ndarray, " sample"]:
        """Whether anything is there."""
        return declared.anything(self.masks)

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The masks of some rows."""
        return type(self)(
            self.known[index],
            tuple(self.cells[row] for row in index),
            tuple(self.within[row] for row in index) if self.within else (),
            self.table,
            tuple(self.geometry[row] for row in index),
            self.masks.take(index),
            None if self.field is None else self.field.take(index),
        )

    def check(self, place: str) -> list[Finding]:
        """Rows without a mask, and masks with nothing on them."""
        return [*super().check(place), *declared.empty_masks(place, self.masks)]


@dataclass(frozen=True)
class MaskTensors(TargetTensors):
    """The truth of views.

    Attributes:
        truth: Share of each point that belongs to each region.
        counts: Which points count.
    """

    truth: Float[Tensor, "batch region *grid"]
    counts: Bool[Tensor, " batch *grid"]


@dataclass(frozen=True)
class MaskTruth(base.GridTruth):
    """The regions of all rows on the network's grid, and how many axes it has."""

    masks: ResampledMasks
    dim: int

    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """For about half of the views a point of a region, each region as often as the others."""
        aims = np.full((len(index), self.dim), np.nan)
        for number, row in enumerate(index):
            regions = [points for points in self.masks.points[int(row)] if len(points)]
            if regions and rng.random() < _AIMED:
                points = regions[rng.integers(len(regions))]
                aims[number] = points[rng.integers(len(points))]
        return aims

    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> MaskTensors:
        """The truth of some views; beyond the record and the field of view nothing counts."""
        assert movement.start is not None
        starts = movement.start.tolist()
        boxes = [self.masks.cut(int(row), start, movement.cut) for row, start in zip(index, starts, strict=True)]
        seen = moved(torch.from_numpy(np.stack(boxes)), movement.affine, movement.size)
        known = torch.from_numpy(np.array([self.masks.known(int(row)) for row in index], dtype=bool))
        return MaskTensors(known, seen[:, :-1], seen[:, -1] > _WHOLE)


@dataclass(frozen=True)
class RegionProbabilities:
    """What a model says of one record: packed uint16 "region *grid" in the geometry of the file, 65535 = certain."""

    probability: bytes
    spacing: tuple[float, ...] | None


@final
class Segment(base.Dense):
    """Which points belong to which region; probabilities come back in the geometry of the file."""

    Options = SegmentOptions
    Plan = SegmentPlan
    form = "mask"
    mirror_safe = True

    @property
    def exclusive(self) -> bool:
        """Whether a point belongs to one region at most."""
        return not self.options.overlapping

    def columns(self) -> tuple[str, ...]:
        """The columns of paths."""
        column, within = self.options.column, self.options.within
        named = (column,) if isinstance(column, str) else tuple(column.values())
        return named if within is None else (*named, within)

    def read_target(self, frame: pl.DataFrame, table: str) -> MaskTarget:
        """The paths of each row.

        Raises:
            CohortError: no such column, no mask at all, regions that contradict each other.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        within, place = self.options.within, f"[targets.{self.name}] regions"
        named = self.columns() if within is None else self.columns()[:-1]
        cells = paths(frame, named)
        known = np.array([all(row) for row in cells], dtype=bool)
        findings = declared.contradictions(
            place, self.options.column, self.options.regions, overlapping=self.options.overlapping
        )
        if not known.any() and self.plan is None:
            where, found = f'{table} column "{named[0]}"', f"all {len(cells)} cells are empty"
            findings.append(Finding("no_outcome", where, "must hold the outcome", found, "Name another column."))
        stop_on(findings, CohortError)
        return MaskTarget(known, cells, () if within is None else paths(frame, (within,)), table)

    def match(self, target: MaskTarget, facts: base.GroundFacts) -> MaskTarget:
        """The masks, each on the grid of its record.

        Raises:
            CohortError: another size, spacing or orientation; labels that are not declared.
            ReadError: files that cannot be read.
        """
        grids = tuple(one if isinstance(one, GridGeometry) else None for one in facts.geometry)
        place = f'{target.table} column "{self.columns()[0]}"'
        names = declared.layer_names(self.options.column, self.options.regions)
        files = load(target.cells, grids, facts.folder, facts.cache, place, names)
        if self.plan is None:
            stop_on(declared.strange_labels(place, self.options.column, self.options.regions, files), CohortError)
        place = f'{target.table} column "{self.options.within}"'
        field = fields.read(target.within, grids, facts.folder, facts.cache, place) if target.within else None
        if field is not None:
            field = field.with_foreground(facts.foreground, None if self.plan is None else self.plan.lit_overlap)
        return replace(target, known=files.entry >= 0, geometry=grids, files=files, field=field)

    def read_new(self, frame: pl.DataFrame, table: str) -> MaskTarget | None:
        """The fields of view of new patients, where the study looks within such; those that are lacking too."""
        within, nobody = self.options.within, ((None,),) * len(frame)
        if within is None:
            return None
        looked_at = paths(frame, (within,)) if within in frame.columns else nobody
        return MaskTarget(np.zeros(len(frame), dtype=bool), nobody, looked_at, table)

    def fit(self, target: MaskTarget, rows: TrainRows) -> Self:
        """The regions, if they are not declared, and how large they are.

        Raises:
            CohortError: if a region is in no training record.
        """
        known = [int(row) for row in rows.index if target.known[row]]
        regions = declared.choose(self.options.column, self.options.regions, target.masks, known)
        found_shares = declared.shares(target.masks, regions, known)
        stop_on(
            declared.absent_regions(f"[targets.{self.name}] regions", regions, found_shares, len(known)), CohortError
        )
        grids = [grid for row in known if (grid := target.geometry[row]) is not None]
        units = {grid.unit for grid in grids}
        plan = SegmentPlan(
            regions=regions,
            shares=found_shares,
            unit=units.pop() if len(units) == 1 else "px",
            dim=len(grids[0].shape),
            thresholds=(0.5,) * len(regions),
            lit_overlap=0.0 if target.field is None else target.field.least_overlap(known),
        )
        return type(self)(self.name, self.options, plan)

    def on_grid(self, target: MaskTarget, places: Sequence[Place | None], cache: Path | None) -> MaskTruth:
        """The regions of all rows on the network's grid."""
        lattices = [one if isinstance(one, Lattice) else None for one in places]
        field = None if target.field is None else target.field.masks
        masks = resample_masks(target.masks, field, self.plan.regions, lattices, cache, exclusive=self.exclusive)
        return MaskTruth(masks, self.plan.dim)

    def map_layer(self, sight: Sight) -> nn.Module:
        """Features of every point to a number for each region; while training, coarser ones behind them.

        The linear map starts at the shares of the regions.
        """
        start = declared.first_outputs(self.plan.shares, exclusive=self.exclusive)
        outputs = PointOutputs(sight.dim, sight.channels, sight.strides, start)
        return OnMaps(self.options.on, "outputs", outputs, level=None)

    def loss(self, output: Float[Tensor, "batch out *grid"], target: MaskTensors, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of the points plus 1 - Dice of the regions, over the points that count; coarse outputs too."""
        each = graded_loss(output, target.truth, target.counts, smoothing, exclusive=self.exclusive)
        return torch.where(target.known, each, 0.0)

    def gatherer(self, place: Place) -> base.Gatherer:
        """An empty gatherer for one record."""
        assert isinstance(place, Lattice)
        return _Gatherer(place, len(self.plan.regions), exclusive=self.exclusive)

    def calibrate(
        self,
        outputs: Shaped[np.ndarray, " sample"],
        target: MaskTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """How sure the answers ought to be and, where regions may overlap, thresholds; from tune rows."""
        rows = [row for row in range(len(outputs)) if outputs[row] is not None and target.known[row]]
        if method == "none" or not rows:
            return type(self)(self.name, self.options, self.plan.model_copy(update={"note": "not calibrated"}))
        records = [partial(_record, outputs[row], target, row, self.plan.regions) for row in rows]
        chosen = choose(records, exclusive=self.exclusive)
        note = f"temperature {chosen.temperature:.2f}, from {len(rows)} tune rows"
        update = {"temperature": chosen.temperature, "thresholds": chosen.thresholds, "note": note}
        return type(self)(self.name, self.options, self.plan.model_copy(update=update))

    def decode(self, outputs: Shaped[np.ndarray, " sample"], target: MaskTarget | None) -> MaskAnswer:
        """Probabilities in the geometry of each file, beside the truth."""
        samples, plan = len(outputs), self.plan
        spacing = np.full((samples, plan.dim), np.nan)
        probability, truth, where = nothing(samples), nothing(samples), nothing(samples)
        for row, raw in enumerate(outputs):
            if raw is not None:
                probability[row] = pack(soften(raw.probability, plan.temperature, exclusive=self.exclusive))
                spacing[row] = np.nan if raw.spacing is None else raw.spacing
            if target is not None and target.known[row]:
                truth[row] = pack(target.planes(row, plan.regions))
            looked_at = None if target is None else target.looked_at(row)
            where[row] = b"" if looked_at is None else pack(looked_at)
        thresholds = np.tile(np.array(plan.thresholds), (samples, 1))
        return MaskAnswer(plan.names, self.exclusive, plan.unit, thresholds, spacing, where, probability, truth)

    def marks(self, answer: MaskAnswer, position: int) -> Marks:
        """The regions of one record, where it was looked at."""
        truth = unpack(answer.truth[position]) if answer.truth[position] else None
        found = answer.decided(position).astype(np.uint8) if answer.probability[position] else None
        return RegionMarks(answer.regions, truth, found)

    @classmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> base.Outcomes:
        """Masks of all objects, as PNG for pictures and as NIfTI for scans."""
        grids = [one for one in known if isinstance(one, GridKnown)]
        paths = synthetic_masks.write(grids, folder, name)
        return pl.DataFrame({f"{name}_mask": paths}), {"column": f"{name}_mask", "regions": ["object"]}


def _record(raw: RegionProbabilities, target: MaskTarget, row: int, regions: tuple[Region, ...]) -> ProbabilityRecord:
    return ProbabilityRecord(raw.probability, target.planes(row, regions).astype(bool), target.looked_at(row))


class _Gatherer:
    """Probabilities of the windows of one record, put together on its grid."""

    def __init__(self, place: Lattice, regions: int, *, exclusive: bool) -> None:
        self._place, self._exclusive = place, exclusive
        self._gathered = Gathered(regions, place.shape)

    def add(self, output: Float[Tensor, "batch out *grid"], movement: Movement) -> None:
        """Take in some windows."""
        assert movement.start is not None
        wide = output.float()
        chances = wide.softmax(dim=1)[:, 1:] if self._exclusive else wide.sigmoid()
        for window, start in zip(chances.numpy(), movement.start.tolist(), strict=True):
            self._gathered.add(window, start)

    def close(self) -> RegionProbabilities:
        """The probabilities in the geometry of the file."""
        return RegionProbabilities(pack(self._gathered.in_file(self._place)), self._place.source.spacing)
