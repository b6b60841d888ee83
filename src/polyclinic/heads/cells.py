"""Cells one by one in a microscopy picture, each with its outline: how many, how large, of what form."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int, Shaped
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from polyclinic.answers.cells import CellsAnswer
from polyclinic.cohort.outcomes import absent_columns, rows_where
from polyclinic.cohort.outcomes import words as read_words
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.cell_scores import Maps, features_of, learn_scores, scores_of
from polyclinic.decoding.watershed import LARGER, in_order, lesson, tell_apart
from polyclinic.decoding.window_stitching import Gathered, pyramid
from polyclinic.errors import CohortError, Finding, ReadError, Severity, stop_on
from polyclinic.evidence.metrics import instances
from polyclinic.formats.packed import nothing, pack, unpack
from polyclinic.geometry import GridKnown, Known, Lattice, Marks, ObjectMarks, Place, to_file, to_working
from polyclinic.heads import base
from polyclinic.layers.maps.moved import moved
from polyclinic.layers.objects.cell_maps import CellMaps, cut_maps, maps_loss, spacing_um
from polyclinic.layers.readout import OnMaps
from polyclinic.records.cache import RaggedArray, Record, keep
from polyclinic.records.masks.cells import elsewhere, read_column, unreadable
from polyclinic.records.masks.pixel_length import pixel_lengths
from polyclinic.study.options import Plan
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors

_AIMED = 0.75
"""Share of views that must hold a cell; the others fall anywhere, also where none is."""
_TUNE_PICTURES = 48  # spread evenly: watershed takes most of the time of learning from them; a round number
_OFFERED = (("level", (0.5, 0.4, 0.6, 0.3, 0.7)), ("threshold", (0.5, 0.35, 0.65)))
"""What is tried on tune rows; of equals the first."""
_SMALLER = "Such points go to the smaller cell."


class CellsOptions(base.DenseOptions):
    """Keys of a target of kind "cells"."""

    column: str
    """Column of the true cells: a picture of numbers (0 = none), or a folder with one mask a cell. Empty: not known."""
    pixel_um: Annotated[float, Field(gt=0)] | str | None = None
    """Length of a pixel in micrometres, or the column that holds it; else that which the files say, if they do."""
    min_area: Literal["auto"] | Annotated[float, Field(ge=0)] = "auto"
    """Smallest area of a cell, in um2 where ``pixel_um`` is a number, else in pixels; "auto": learned."""


class CellsPlan(Plan):
    """What a cells head learned."""

    smallest: float
    """Points of the smallest cell."""
    threshold: float = 0.5
    level: float = 0.5
    scores: tuple[float, float, float] = (0.0, 1.0, 0.0)
    note: str = "not calibrated"


@dataclass(frozen=True)
class CellsTarget(base.Target):
    """The true cells of each row.

    Attributes:
        paths: Cells of the table as they stand; None where empty.
        cells: Packed numbers "row column", once matched; empty = not known.
        count: Number of cells.
        doubled: Points that were drawn for more than one cell.
        hidden: Cells of which no point was left.
        pixel_um: Length of a pixel as the user says, NaN where not said.
    """

    paths: Shaped[np.ndarray, " sample"]
    cells: Shaped[np.ndarray, " sample"]
    count: Int[np.ndarray, " sample"]
    doubled: Int[np.ndarray, " sample"]
    hidden: Int[np.ndarray, " sample"]
    pixel_um: Float[np.ndarray, " sample"]

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The quarter of the pictures by number of cells."""
        edges = np.quantile(self.count[self.known], [0.25, 0.5, 0.75])
        return np.where(self.known, np.searchsorted(edges, self.count, side="left"), -1)

    def check(self, place: str) -> list[Finding]:
        """Rows without truth, without a cell, cells drawn over each other, pictures with one number only."""
        found, points, cells = super().check(place), self.doubled.sum(), self.hidden.sum()
        empty, one = self.known & (self.count == 0), self.known & (self.count == 1)
        if one.sum() > 0.5 * self.known.sum():
            rule, remedy = "every cell must have a number of its own", "A mask of all cells together cannot be used."
            what = "most pictures hold a single number"
            found.append(Finding("one_number", place, rule, what, remedy, Severity.WARNING, rows_where(one)))
        for name, rows, rule, what, remedy in (
            ("no_cells", empty, "pictures should hold cells", f"{empty.sum()} hold none", "Judged as they are."),
            ("cells_overlap", self.doubled > 0, "cells should not overlap", f"{points} points are two's", _SMALLER),
            ("cells_hidden", self.hidden > 0, "cells should not hide others", f"{cells} are hidden", _SMALLER),
        ):
            if rows.any():
                found.append(Finding(name, place, rule, what, remedy, Severity.NOTE, rows_where(rows)))
        return found


@dataclass(frozen=True)
class CellsTensors(TargetTensors):
    """Of each view whether points belong to a cell, how near they are to its middle, and whether they count."""

    foreground: Float[Tensor, "batch row column"]
    height: Float[Tensor, "batch row column"]
    counts: Float[Tensor, "batch row column"]


@dataclass(frozen=True)
class CellsTruth(base.GridTruth):
    """The true cells as packed, and on the network's grid: what it is to say at each point, in 255ths."""

    maps: RaggedArray
    centres: tuple[Float[np.ndarray, "_ 2"], ...]
    cells: Shaped[np.ndarray, " sample"]

    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """The centre of a cell for three views in four."""
        aims = np.full((len(index), 2), np.nan)
        for position, row in enumerate(index):
            centres, chance, pick = self.centres[row], rng.random(), rng.random()
            if len(centres) and chance < _AIMED:
                aims[position] = centres[int(pick * len(centres))]
        return aims

    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> CellsTensors:
        """The maps of some rows, cut and moved as the views were; what lies beyond a picture does not count."""
        starts = np.zeros((len(index), 2), dtype=int) if movement.start is None else movement.start.numpy()
        cut = movement.cut or next((self.maps[int(row)].shape[1:] for row in index), (1, 1))
        cuts = np.stack([cut_maps(self.maps[int(row)], start, cut) for row, start in zip(index, starts, strict=True)])
        maps = moved(torch.from_numpy(cuts), movement.affine, movement.size or cut)
        known = torch.tensor([self.maps[int(row)].size > 0 for row in index], dtype=torch.bool)
        inside = (maps[:, 2] > 0.99).float()  # half a point of a picture is none
        return CellsTensors(known, (maps[:, 0] >= 0.5).float() * inside, maps[:, 1] * inside, inside)


@dataclass(frozen=True)
class FoundCells:
    """What a model says about one picture, in the file's geometry.

    Attributes:
        packed: Foreground and height in 255ths, "2 row column"; or the cells themselves, "row column".
        spacing: Length of a step in um, None where not known.
    """

    packed: bytes
    spacing: tuple[float, float] | None


@final
class Cells(base.Dense):
    """Every cell with its outline, told apart from those that it touches."""

    grounds = ("picture",)
    Options = CellsOptions
    Plan = CellsPlan
    form = "cells"

    def columns(self) -> tuple[str, ...]:
        """The column of the true cells, and that of the length of a pixel."""
        pixel = self.options.pixel_um
        return (self.options.column, pixel) if isinstance(pixel, str) else (self.options.column,)

    def words(self) -> tuple[str, ...]:
        """The column of paths."""
        return (self.options.column,)

    def read_target(self, frame: pl.DataFrame, table: str) -> CellsTarget:
        """Which rows have true cells; the files are read by ``match``.

        Raises:
            CohortError: no such column, nothing in it, or lengths of pixels that are none.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        paths = np.array(read_words(frame[self.options.column]), dtype=object)
        known = np.array([path is not None for path in paths], dtype=bool)
        if not known.any() and self.plan is None:
            found, place = f"all {len(paths)} cells are empty", f'{table} column "{self.options.column}"'
            raise CohortError(Finding("no_outcome", place, "must hold the outcome", found, "Name another column."))
        none, pixel = np.zeros(len(paths), dtype=np.int64), pixel_lengths(self.options.pixel_um, frame, table)
        return CellsTarget(known, paths, nothing(len(paths)), none, none, none, pixel)

    def read_new(self, frame: pl.DataFrame, table: str) -> CellsTarget | None:
        """The length of a pixel in pictures of new patients, where the table has a column of it."""
        pixel = self.options.pixel_um
        if not isinstance(pixel, str) or pixel not in frame.columns:
            return None
        return self.read_target(frame.select(pl.lit(None, pl.String).alias(self.options.column), pixel), table)

    def match(self, target: CellsTarget, facts: base.GroundFacts) -> CellsTarget:
        """The cells read and held against the pictures.

        Raises:
            ReadError: files that cannot be read.
            CohortError: cells on another grid than the picture, or volumes.
        """
        column = read_column(target.paths.tolist(), facts.folder, facts.cache)
        place = f"[targets.{self.name}] column"
        stop_on(unreadable(column, place), ReadError)
        stop_on(elsewhere(column, facts.geometry, place), CohortError)
        cells, count = nothing(len(column)), np.zeros(len(column), dtype=np.int64)
        for row, grid in enumerate(facts.geometry):
            labels = column.row(row, grid)
            if labels is None:
                continue
            cells[row], count[row] = pack(in_order(labels)), np.count_nonzero(np.unique(labels))
        return replace(target, cells=cells, count=count, doubled=column.doubled, hidden=column.hidden)

    def fit(self, target: CellsTarget, rows: TrainRows) -> Self:
        """Learn from training rows how small a cell may be."""
        areas = [np.bincount(unpack(target.cells[row]).ravel())[1:] for row in rows.index if target.count[row]]
        smallest = float(np.floor(0.5 * np.quantile(np.concatenate(areas), 0.01))) if areas else 0.0
        if self.options.min_area != "auto":
            pixel = self.options.pixel_um
            smallest = float(self.options.min_area) / (pixel if isinstance(pixel, float) else 1.0) ** 2
        return type(self)(self.name, self.options, CellsPlan(smallest=smallest))

    def on_grid(self, target: CellsTarget, places: Sequence[Place | None], cache: Path | None) -> CellsTruth:
        """Foreground and height of every row on the network's grid, with the centres of its cells."""
        digest = hashlib.blake2b(b"cells 1", digest_size=20)
        for packed, place in zip(target.cells, places, strict=True):
            digest.update(hashlib.blake2b(packed).digest() + repr(place).encode())
        maps = keep(cache, digest.hexdigest(), lambda: _placed(target.cells, places))
        centres = tuple(np.array(json.loads(note)).reshape(-1, 2) for note in maps.note)
        return CellsTruth(maps, centres, target.cells)

    def map_layer(self, sight: Sight) -> nn.Module:
        """Two numbers for every point, from the finest features."""
        return OnMaps(self.options.on, "maps", CellMaps(sight.channels[0], sight.strides[0]))

    def loss(self, output: Tensor, target: CellsTensors, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of both maps and soft Dice of the foreground; ``smoothing`` has no meaning here."""
        each = maps_loss(output, target.foreground, target.height, target.counts)
        return torch.where(target.known, each, 0.0)

    def gatherer(self, place: Place) -> base.Gatherer:
        """Both maps, averaged where windows overlap."""
        assert isinstance(place, Lattice)
        return _Gatherer(place, self.options.pixel_um)

    def calibrate(
        self,
        outputs: Shaped[np.ndarray, " sample"],
        target: CellsTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Choose threshold, level and smallest cell by panoptic quality on tune rows; learn how sure each cell is."""
        rows = np.array([k for k, raw in enumerate(outputs) if raw is not None and target.cells[k]], dtype=int)
        if not len(rows):
            return type(self)(self.name, self.options, self.plan.model_copy(update={"note": "no tune rows"}))
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, _TUNE_PICTURES).round().astype(int))]
        pairs = [(_maps(outputs[row]), unpack(target.cells[row])) for row in rows]
        plan = self.plan.model_copy(update={"note": f"threshold, level, least area from {len(rows)} tune pictures"})
        areas = [self.plan.smallest * larger for larger in LARGER] if self.options.min_area == "auto" else []
        for name, offered in (*_OFFERED, ("smallest", areas)):
            tried = [plan.model_copy(update={name: value}) for value in offered]
            plan = max(tried, key=lambda one: _quality(one, pairs), default=plan)
        if method != "none":
            plan = plan.model_copy(update={"scores": _learn(plan, pairs)})
        return type(self)(self.name, self.options, plan)

    def decode(self, outputs: Shaped[np.ndarray, " sample"], target: CellsTarget | None) -> CellsAnswer:
        """Cells told apart, with the chance of each; a row without picture has none."""
        truth = nothing(len(outputs)) if target is None else target.cells
        scores, predicted, spacing = nothing(len(outputs)), nothing(len(outputs)), np.full((len(outputs), 2), np.nan)
        for row, raw in enumerate(outputs):
            if raw is None:
                if truth[row]:  # to be judged: nothing was found
                    scores[row], predicted[row] = pack(np.zeros(0, np.float32)), pack(np.zeros_like(unpack(truth[row])))
                continue
            maps = _maps(raw)
            labels = _labels(self.plan, maps)
            scores[row] = pack(scores_of(features_of(labels, maps), self.plan.scores))
            predicted[row] = pack(labels)
            spacing[row] = np.nan if raw.spacing is None else raw.spacing
            if target is not None and np.isfinite(target.pixel_um[row]):
                spacing[row] = target.pixel_um[row]
        unit = "um" if np.isfinite(spacing).any() else "px"
        return CellsAnswer(unit, spacing, scores, predicted, truth)

    def marks(self, answer: CellsAnswer, position: int) -> Marks:
        """The outlines of true and predicted cells."""
        truth, predicted = (
            unpack(one[position]) if one[position] else None for one in (answer.truth, answer.predicted)
        )
        return ObjectMarks((self.name,), truth, predicted)

    @classmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> base.Outcomes:
        """The objects of the pictures as pictures of numbers."""
        (folder / name).mkdir(parents=True, exist_ok=True)
        paths = []
        for number, one in enumerate(known):
            assert isinstance(one, GridKnown)
            paths.append(f"{name}/{number:05d}.png")
            Image.fromarray(one.objects.reshape(one.objects.shape[:2]).astype(np.uint16)).save(folder / paths[-1])
        return pl.DataFrame({f"{name}_cells": paths}), {"column": f"{name}_cells"}


@final
class _Gatherer:
    """Windows added up on the network's grid."""

    def __init__(self, place: Lattice, pixel_um: float | str | None) -> None:
        self._place, self._pixel_um, self._sum = place, pixel_um, Gathered(2, place.shape, pyramid)

    def add(self, output: Float[Tensor, "batch out *grid"], movement: Movement) -> None:
        """Take in some windows; what they say beyond the picture is dropped."""
        starts = np.zeros((len(output), 2), dtype=int) if movement.start is None else movement.start.numpy()
        for window, start in zip(output.float().sigmoid().numpy(), starts.tolist(), strict=True):
            self._sum.add(window, start)

    def close(self) -> FoundCells:
        """Both maps in the geometry of the file, in 255ths."""
        back = np.stack([to_file(self._sum.mean(channel), self._place) for channel in range(2)])
        return FoundCells(
            pack((255 * back.clip(0, 1)).round().astype(np.uint8)), spacing_um(self._place, self._pixel_um)
        )


def _placed(cells: Shaped[np.ndarray, " sample"], places: Sequence[Place | None]) -> Iterator[Record]:
    """The maps of each row, with the centres of its cells as the note."""
    for packed, place in zip(cells, places, strict=True):
        if not packed or not isinstance(place, Lattice):
            yield np.zeros((0, 0, 0), dtype=np.uint8), "[]"
            continue
        maps, centres = lesson(to_working(unpack(packed), place))
        yield maps, json.dumps(centres.round(1).tolist())


def _maps(raw: FoundCells) -> Maps:
    found = unpack(raw.packed)
    if found.ndim == 2:
        return Maps((found > 0).astype(np.float32), (found > 0).astype(np.float32), found)
    return Maps(found[0] / np.float32(255), found[1] / np.float32(255))


def _labels(plan: CellsPlan, maps: Maps) -> Int[np.ndarray, "row column"]:
    if maps.labels is not None:
        return in_order(maps.labels)
    return tell_apart(maps.foreground, maps.height, plan.threshold, plan.level, plan.smallest)


def _quality(plan: CellsPlan, pairs: Sequence[tuple[Maps, Any]]) -> float:
    """Mean panoptic quality."""
    judged = [instances.judge(truth, _labels(plan, maps))[0].quality for maps, truth in pairs]
    return float(np.mean(np.nan_to_num(judged)))


def _learn(plan: CellsPlan, pairs: Sequence[tuple[Maps, Any]]) -> tuple[float, float, float]:
    """Weights of the score, from which cells of the tune rows match a true one."""
    features, matches = [np.zeros((0, 3))], [np.zeros(0, dtype=bool)]
    for maps, truth in pairs:
        labels = _labels(plan, maps)
        found, _ = instances.judge(truth, labels)
        hit = np.zeros(int(labels.max(initial=0)), dtype=bool)
        hit[found.pairs[:, 1]] = True
        features.append(features_of(labels, maps))
        matches.append(hit)
    return learn_scores(np.concatenate(features), np.concatenate(matches))
