"""Otsu and watershed on drawn cells."""

import numpy as np
import pytest

from known.drawn_cells import pictures
from polyclinic.baselines.questions import cells as plain_cells
from polyclinic.baselines.questions.base import PlainQuestion
from polyclinic.baselines.questions.cells import PlainCells
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.evidence.metrics import instances
from polyclinic.formats.packed import nothing, pack_all, unpack
from polyclinic.geometry import GridGeometry, Lattice, identity
from polyclinic.heads.cells import Cells, CellsPlan, CellsTarget

ROWS, SHAPE = 6, (96, 120)
ODD = GridGeometry((48, 60))


def grey(row, bright=1.0):
    rng = np.random.default_rng(row)
    return (bright * (pictures(row)[0] > 0) + rng.normal(0, 0.15, SHAPE)).astype(np.float32)


def question(truth=True, place=None, values=None):
    head = Cells("nuclei", Cells.Options(on="film", column="cells"), CellsPlan(smallest=8.0))
    labels = [pictures(row)[0] for row in range(ROWS)]
    drawn = pack_all(labels) if truth else nothing(ROWS)
    none = np.zeros(ROWS, dtype=np.int64)
    target = CellsTarget(np.full(ROWS, truth), np.full(ROWS, "x", dtype=object), drawn, none, none, none, none * np.nan)
    places = [place or identity(GridGeometry(SHAPE))] * ROWS
    rows = Inner(TrainRows(np.arange(4)), TuneRows(np.array([4])))
    return PlainQuestion(
        head, head.on_grid(target, places, None), places, values or (lambda row: grey(row)[None]), rows, 1
    )


@pytest.mark.parametrize("bright", [1.0, -1.0])
def test_bright_and_dark_cells_are_found(bright):
    found = plain_cells.draw_cells(grey(3, bright), plain_cells.CellRecipe(smallest=8))
    assert instances.judge(pictures(3)[0], found)[0].aji > 0.4


def test_otsu_divides_two_heaps():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 0.1, 900), rng.normal(1, 0.1, 100)]).reshape(10, 100)
    assert 0.3 < plain_cells.otsu(values) < 0.8


def test_what_is_chosen_is_no_worse_than_the_first_guess():
    asked = question()
    said = plain_cells.fit_otsu(asked)(5)
    found = instances.judge(pictures(5)[0], unpack(said.packed))[0]
    assert found.aji > 0.5
    assert unpack(said.packed).shape == SHAPE


def test_nothing_is_learned_without_truth():
    assert plain_cells.fit_otsu(question(truth=False)) is None


def test_cells_come_back_in_the_file_from_a_coarser_grid():
    source = GridGeometry(SHAPE)
    coarse = Lattice((48, 60), source, np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]]))
    asked = question(place=coarse, values=lambda row: grey(row).reshape(48, 2, 60, 2).mean(axis=(1, 3))[None])
    said = plain_cells.fit_otsu(asked)(5)
    assert unpack(said.packed).shape == SHAPE
    assert instances.judge(pictures(5)[0], unpack(said.packed))[0].aji > 0.4


def test_it_is_registered():
    assert [sort.name for sort in PlainCells().sorts(question().head)] == ["Otsu and watershed"]


def test_an_even_picture_has_no_cells_but_does_not_fail():
    assert plain_cells.draw_cells(np.zeros((8, 9), dtype=np.float32), plain_cells.CellRecipe()).max() <= 1
