"""The smallest input with places and the smallest dense question: a bright square, and which points belong to it."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from torch import nn

from polyclinic.answers.mask import MaskAnswer
from polyclinic.formats.packed import nothing, pack_all, unpack
from polyclinic.geometry import GridGeometry, GridKnown, RegionMarks, identity, to_file
from polyclinic.heads.base import Dense, DenseOptions, GridTruth, Target
from polyclinic.inputs.base import Located, LocatedPrepared
from polyclinic.layers.maps.mirrors import backwards, every_mirror
from polyclinic.records.base import Features, LocatedRecords, Picture
from polyclinic.study.options import InputOptions, Plan
from polyclinic.tensors import CONVOLUTIONS, Encoded, Encoder, InputTensors, Movement, Sight, TargetTensors

EDGE, VIEW = 24, 12


def unlit(row: int) -> None:
    """The foreground of records that do not say where something is to be seen."""


class SquareOptions(InputOptions):
    column: str
    flips: bool = False


class SquarePlan(Plan):
    dense: bool


@dataclass(frozen=True)
class SquareTensors(InputTensors):
    pixels: torch.Tensor


def grid_of(number: int) -> np.ndarray:
    rng = np.random.default_rng(int(number))
    grid = rng.normal(0, 0.3, (EDGE, EDGE)).astype(np.float32)
    row, column = rng.integers(2, EDGE - 8, 2)
    grid[row : row + 6, column : column + 6] += 1.5
    return grid


def truth_of(number: int) -> np.ndarray:
    rng = np.random.default_rng(int(number))
    rng.normal(0, 0.3, (EDGE, EDGE))
    row, column = rng.integers(2, EDGE - 8, 2)
    truth = np.zeros((EDGE, EDGE), dtype=np.uint8)
    truth[row : row + 6, column : column + 6] = 1
    return truth


class Squares(LocatedRecords):
    def __init__(self, grids):
        self.grids = grids

    def __len__(self):
        return len(self.grids)

    def check(self):
        return []

    def geometry(self):
        return [None if one is None else GridGeometry(one.shape) for one in self.grids]

    def summarise(self):
        return Features(np.array([[one.mean()] for one in self.grids]), ("mean",), (False,))

    def fingerprints(self):
        return np.arange(1, len(self) + 1, dtype=np.uint64)

    def show(self, position, attribution=None):
        return Picture("text/html", b"", "")

    def show_marks(self, position, marks):
        return Picture("text/html", b"", "")


class PreparedSquares(LocatedPrepared):
    def __init__(self, grids, flips):
        self.grids, self.flips = grids, flips

    def places(self):
        return [None if one is None else identity(GridGeometry(one.shape)) for one in self.grids]

    def values(self, row):
        return self.grids[row][None]

    def view_points(self):
        return VIEW * VIEW

    def _tensors(self, views):
        return SquareTensors(torch.ones(len(views), dtype=torch.bool), torch.from_numpy(np.stack(views)[:, None]))

    def collate(self, index):
        blank = np.zeros((EDGE, EDGE), dtype=np.float32)
        present = torch.tensor([self.grids[row] is not None for row in index], dtype=torch.bool)
        whole = np.stack([blank if self.grids[row] is None else self.grids[row] for row in index])
        return SquareTensors(present, torch.from_numpy(whole[:, None]))

    def draw(self, index, aim, generator, *, change):
        starts = torch.randint(0, EDGE - VIEW + 1, (len(index), 2), generator=generator).numpy()
        low, high = np.maximum(aim - VIEW + 1, 0), np.minimum(aim, EDGE - VIEW)
        starts = np.where(np.isnan(aim), starts, np.clip(starts, np.nan_to_num(low), np.nan_to_num(high, nan=EDGE)))
        starts = starts.astype(np.int64)
        views = [self.grids[k][r : r + VIEW, c : c + VIEW] for k, (r, c) in zip(index, starts, strict=True)]
        size = (VIEW, VIEW)
        return self._tensors(views), Movement(torch.from_numpy(starts), size, None, size)

    def windows(self, row):
        size = (VIEW, VIEW)
        for top in (0, 6, 12):
            starts = np.array([[top, left] for left in (0, 6, 12)])
            views = [self.grids[row][r : r + VIEW, c : c + VIEW] for r, c in starts]
            yield self._tensors(views), Movement(torch.from_numpy(starts), size, None, size)

    def mirrors(self):
        return every_mirror((0, 1)) if self.flips else ()

    def mirrored(self, tensors, axes):
        return replace(tensors, pixels=backwards(tensors.pixels, axes))


class Square(Located):
    Options, Plan = SquareOptions, SquarePlan
    ground = "picture"

    def columns(self, offered):
        return (self.options.column,)

    def read(self, cells):
        return Squares([None if cell is None else grid_of(cell) for cell in cells.frame[self.options.column].to_list()])

    def fit(self, records, rows):
        return type(self)(self.name, self.options, SquarePlan(dense=self.dense))

    def prepare(self, records):
        return PreparedSquares(records.grids, self.options.flips)

    def sight(self, size):
        return Sight(2, (8,), ((1, 1),))

    def encoder(self, width, size, dropout):
        return SquareEncoder(width)

    @classmethod
    def example_known(cls, rng, signal, folder, name):
        numbers = np.arange(len(signal))
        known = [GridKnown(GridGeometry((EDGE, EDGE)), truth_of(n).astype(np.int32)) for n in numbers]
        return pl.DataFrame({name: numbers}), {"column": name}, known


class SquareEncoder(Encoder):
    hints = CONVOLUTIONS

    def __init__(self, width):
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.out = nn.Linear(8, width)

    def forward(self, tensors):
        maps = self.maps(tensors.pixels)
        return Encoded(self.out(maps.mean(dim=(2, 3)))[:, None], tensors.present[:, None], (maps,))


class SpotOptions(DenseOptions):
    column: str


class SpotPlan(Plan):
    rows: int


@dataclass(frozen=True)
class SpotTarget(Target):
    number: np.ndarray

    def strata(self):
        return np.zeros(len(self.known), dtype=np.int64)


@dataclass(frozen=True)
class SpotTensors(TargetTensors):
    truth: torch.Tensor


@dataclass(frozen=True)
class SpotTruth(GridTruth):
    grids: list[np.ndarray]

    def aim(self, index, rng):
        points = [np.argwhere(self.grids[row]) for row in index]
        return np.array([found[rng.integers(len(found))] for found in points], dtype=np.float64)

    def collate(self, index, movement):
        starts = movement.start.tolist()
        views = [self.grids[k][r : r + VIEW, c : c + VIEW] for k, (r, c) in zip(index, starts, strict=True)]
        truth = torch.from_numpy(np.stack(views)[:, None].astype(np.float32))
        return SpotTensors(torch.ones(len(index), dtype=torch.bool), truth)


class SpotGatherer:
    def __init__(self, place):
        self.place = place
        self.total, self.count = np.zeros(place.shape), np.zeros(place.shape)

    def add(self, output, movement):
        for view, (r, c) in zip(output.sigmoid().numpy()[:, 0], movement.start.tolist(), strict=True):
            self.total[r : r + VIEW, c : c + VIEW] += view
            self.count[r : r + VIEW, c : c + VIEW] += 1

    def close(self):
        mean = to_file(self.total / self.count, self.place)
        return np.rint(255 * mean).astype(np.uint8)


class Spot(Dense):
    Options, Plan = SpotOptions, SpotPlan
    form = MaskAnswer.form
    mirror_safe = True

    def columns(self):
        return (self.options.column,)

    def read_target(self, frame, table):
        column = frame[self.options.column]
        return SpotTarget(column.is_not_null().to_numpy(), column.to_numpy())

    def match(self, target, facts):
        return target

    def fit(self, target, rows):
        return type(self)(self.name, self.options, SpotPlan(rows=len(rows)))

    def on_grid(self, target, places, cache):
        return SpotTruth([truth_of(number) for number in target.number])

    def map_layer(self, sight):
        return SpotLayer(self.options.on, sight.channels[0])

    def loss(self, output, target, smoothing=0.0):
        return nn.functional.binary_cross_entropy_with_logits(output, target.truth, reduction="none").mean((1, 2, 3))

    def gatherer(self, place):
        return SpotGatherer(place)

    def calibrate(self, outputs, target, method, patient=None):
        return self

    def decode(self, outputs, target):
        samples = len(outputs)
        found = pack_all([np.zeros((1, EDGE, EDGE), np.uint8) if raw is None else raw[None] for raw in outputs])
        truth = nothing(samples) if target is None else pack_all([truth_of(n)[None] for n in target.number])
        half, unknown = np.full((samples, 1), 0.5), np.full((samples, 2), np.nan)
        return MaskAnswer(("spot",), False, "px", half, unknown, nothing(samples), found, truth)

    @staticmethod
    def average(answers):
        return answers[0]

    def marks(self, answer, position):
        predicted = unpack(answer.probability[position]) > 127
        return RegionMarks(answer.regions, None, predicted.astype(np.uint8))

    @classmethod
    def example_on(cls, rng, known, folder, name):
        return pl.DataFrame({name: np.arange(len(known))}), {"column": name}


class SpotLayer(nn.Module):
    def __init__(self, on, channels):
        super().__init__()
        self.on, self.out = on, nn.Conv2d(channels, 1, 1)

    def forward(self, fused):
        return self.out(fused.inputs[self.on].maps[0])
