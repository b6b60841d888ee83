"""Records made ready: what a batch holds, what is learned from which rows, where views are aimed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.heads.base import Question
from polyclinic.inputs.base import InputColumns
from polyclinic.records.base import ColumnCells
from polyclinic.training.random_streams import generator
from polyclinic.training.ready import Ready
from toys.dense import EDGE, Spot, SpotTruth, Square, truth_of

ROWS = 16


def squares(*names: str, absent: tuple[int, ...] = ()) -> Ready:
    """Pictures with a bright square, and questions of that name about where it is."""
    numbers = [None if row in absent else row for row in range(ROWS)]
    square = Square("film", Square.Options(column="film")).facing()
    film = InputColumns.read(square, ColumnCells(pl.DataFrame({"film": numbers}), Path(), "cohort.csv"))
    questions = {}
    for name in names:
        spot = Spot(name, Spot.Options(on="film", column=name))
        questions[name] = Question(spot, spot.read_target(pl.DataFrame({name: range(ROWS)}), "cohort.csv"))
    return Ready.fit({"film": film}, questions, TrainRows(np.arange(8)))


def test_every_view_holds_what_is_aimed_at():
    """A square covers a sixteenth of the picture; a view that is drawn anywhere misses it often."""
    ready = squares("spot")
    index = np.tile(np.arange(ROWS), 6)
    batch = ready.batch(index, generator(1, 2))
    assert (batch.targets["spot"].truth.sum(dim=(1, 2, 3)) > 0).all()


@dataclass(frozen=True)
class Aimed(SpotTruth):
    """The truth about the squares, but one point at which every view is aimed."""

    point: float

    def aim(self, index, rng):
        return np.full((len(index), 2), self.point)


def aimed(ready: Ready, **points: float) -> Ready:
    """The same with views aimed at these points, by question."""
    return replace(ready, truth={name: Aimed(ready.truth[name].grids, point) for name, point in points.items()})


def test_without_an_aim_views_miss_it():
    """The test above can fail."""
    ready = aimed(squares("spot"), spot=np.nan)
    batch = ready.batch(np.tile(np.arange(ROWS), 6), generator(1, 2))
    assert (batch.targets["spot"].truth.sum(dim=(1, 2, 3)) == 0).any()


def test_two_questions_take_turns_in_aiming(monkeypatch):
    ready = aimed(squares("left", "right"), left=0.0, right=EDGE - 1.0)
    starts = []
    prepared = ready.grounds["film"]
    drawn = type(prepared).draw

    def draw(self, index, aim, source, *, change):
        starts.append(aim)
        return drawn(self, index, aim, source, change=change)

    monkeypatch.setattr(type(prepared), "draw", draw)
    ready.batch(np.arange(ROWS), generator(1, 2))
    [aims] = starts
    left = (aims == 0).all(axis=1)
    assert 0 < left.sum() < ROWS
    assert (aims[~left] == EDGE - 1).all()


def test_the_truth_moves_with_the_view():
    """Where a view is bright, its truth says so."""
    batch = squares("spot").batch(np.arange(ROWS), generator(3, 1))
    pixels, truth = batch.inputs["film"].pixels, batch.targets["spot"].truth
    assert pixels[truth > 0].mean() > 1.2
    assert abs(float(pixels[truth == 0].mean())) < 0.2


def test_views_for_judging_are_not_changed(monkeypatch):
    changes = []
    prepared = squares("spot")
    kind = type(prepared.grounds["film"])
    drawn = kind.draw

    def draw(self, index, aim, source, *, change):
        changes.append(change)
        return drawn(self, index, aim, source, change=change)

    monkeypatch.setattr(kind, "draw", draw)
    prepared.batch(np.arange(4), generator(1, 1))
    prepared.batch(np.arange(4), generator(1, 1), change=False)
    assert changes == [True, False]


def test_plain_records_are_changed_only_while_learning(bench, monkeypatch):
    kind = type(bench.ready.prepared["labs"])
    monkeypatch.setattr(kind, "augment", lambda self, whole, source: (replace(whole, present=~whole.present), None))
    index = np.arange(8)
    still = bench.ready.batch(index, generator(1, 1), change=False).inputs["labs"].present
    moved = bench.ready.batch(index, generator(1, 1)).inputs["labs"].present
    assert torch.equal(moved, ~still)


def test_constants_come_from_the_given_rows_only():
    ready = squares("spot")
    assert ready.heads["spot"].plan.rows == 8


@pytest.mark.parametrize("index", [[3, 1, 2], [0, 0, 5]])
def test_outcomes_stand_in_the_order_of_the_rows(bench, index):
    rows = np.array(index)
    target = bench.ready.questions["sick"]
    whole = target.head.collate(target.target, np.arange(96))
    some = bench.ready.batch(rows, generator(1, 1)).targets["sick"]
    for name, values in vars(some).items():
        assert torch.equal(values, vars(whole)[name][torch.from_numpy(rows)]), name


def test_an_absent_record_is_not_present():
    ready = squares("spot", absent=(2, 5))
    assert ready.present(np.arange(8)).tolist() == [row not in (2, 5) for row in range(8)]
    assert truth_of(2).sum() == 36
