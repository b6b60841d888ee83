"""Dense questions through a whole fit: views that move with the target, windows put together in the file's geometry."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import Inner, TestRows, TrainRows, TuneRows
from polyclinic.formats.packed import unpack
from polyclinic.heads.base import GroundFacts, Question
from polyclinic.heads.classify import Classify
from polyclinic.inputs.base import InputColumns
from polyclinic.model import build
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.training.fit import fit
from polyclinic.training.outputs import evaluate
from polyclinic.training.ready import Ready
from toys.dense import EDGE, PreparedSquares, Spot, Square, truth_of, unlit

ROWS = Inner(TrainRows(np.arange(24)), TuneRows(np.arange(24, 32)))


def make(*, absent: tuple[int, ...] = (), both: bool = False, flips: bool = False) -> Ready:
    numbers = [None if row in absent else row for row in range(40)]
    square = Square("film", Square.Options(column="film", flips=flips)).facing()
    film = InputColumns.read(square, ColumnCells(pl.DataFrame({"film": numbers}), Path(), "cohort.csv"))
    spot = Spot("spot", Spot.Options(on="film", column="spot"))
    target = spot.match(
        spot.read_target(pl.DataFrame({"spot": range(40)}), "cohort.csv"), GroundFacts([], unlit, Path(), None)
    )
    questions = {"spot": Question(spot, target)}
    if both:
        half = Classify("upper", Classify.Options(column="upper", positive="yes"))
        upper = ["yes" if truth_of(row)[: EDGE // 2].sum() > 18 else "no" for row in range(40)]
        questions["upper"] = Question(half, half.read_target(pl.DataFrame({"upper": upper}), "cohort.csv"))
    return Ready.fit({"film": film}, questions, ROWS.train)


def trained(ready: Ready, **keys):
    model = build(ready.inputs, ready.heads, ModelSection(size=Size.TINY), seed=1)
    return fit(model, ready, ROWS, TrainingSection(epochs=6, precision="fp32", **keys), seed=1)


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def test_a_square_is_found_where_it_is():
    ready = make()
    fitted = trained(ready)
    rows = TestRows(np.arange(32, 40))
    said = evaluate(fitted.model, ready, rows)
    head = ready.heads["spot"]
    answer = head.decode(said.by_target["spot"], ready.questions["spot"].target.take(rows.index))
    overlap = [
        dice(unpack(p)[0] > 127, unpack(t)[0] > 0) for p, t in zip(answer.probability, answer.truth, strict=True)
    ]
    assert min(overlap) > 0.75
    assert said.summary.shape == (8, 32)


def test_an_epoch_shows_every_row_several_times():
    assert trained(make()).recipe.views == 10


def test_the_same_fit_twice_gives_the_same_weights():
    first, second = (trained(make()).model.state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)


def test_dense_and_plain_questions_on_one_input():
    ready = make(both=True)
    said = evaluate(trained(ready).model, ready, TestRows(np.arange(32, 40)))
    assert said.by_target["upper"].shape == (8, 1, 1)
    assert len(said.by_target["spot"]) == 8


def test_an_absent_record_has_no_answer_and_is_known_to_be_absent():
    ready = make(absent=(33,))
    said = evaluate(trained(ready).model, ready, TestRows(np.array([32, 33])))
    assert said.by_target["spot"][1] is None
    assert ready.present(np.array([32, 33])).tolist() == [True, False]


def test_a_plan_remembers_that_a_dense_question_was_asked():
    fitted = make().inputs["film"]
    revived = Square("film", fitted.options, fitted.plan)
    assert revived.dense
    assert not Square("film", fitted.options).dense


MIRRORS = ((), (0,), (1,), (0, 1))


def untrained(ready: Ready):
    return build(ready.inputs, ready.heads, ModelSection(size=Size.TINY), seed=1).eval()


def spots(ready: Ready, rows: range = range(3), **keys) -> list[np.ndarray]:
    said = evaluate(untrained(ready), ready, TestRows(np.array(rows)), **keys).by_target["spot"]
    return [one.astype(float) for one in said]


def test_mirrored_answers_are_the_mean_over_mirrored_records():
    ready, mirrored = make(), make(flips=True)
    each = []
    for axes in MIRRORS:
        turned = PreparedSquares([np.flip(one, axes).copy() for one in ready.grounds["film"].grids], flips=False)
        other = replace(ready, prepared={"film": turned}, grounds={"film": turned})
        each.append([np.flip(one, axes) for one in spots(other)])
    for row, found in enumerate(spots(mirrored)):
        np.testing.assert_allclose(found, np.mean([one[row] for one in each], axis=0), atol=1.0)
        assert np.abs(each[0][row] - each[1][row]).max() > 1.5  # the network is not the same both ways
        assert np.abs(each[0][row] - found).max() > 1.0


def test_a_network_that_looks_at_single_points_answers_as_without_mirrors():
    ready, model = make(flips=True), untrained(make())
    with torch.no_grad():
        for weight in (w for w in model.parameters() if w.ndim == 4 and w.shape[-1] == 3):
            weight *= torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])
    rows = TestRows(np.arange(3))
    with_mirrors, without = (evaluate(model, ready, rows, mirrored=m).by_target["spot"] for m in (True, False))
    assert all(np.array_equal(one, other) for one, other in zip(with_mirrors, without, strict=True))


def test_mirrors_can_be_left_out_and_are_where_the_question_has_directions(monkeypatch):
    plain, left_out = spots(make()), spots(make(flips=True), mirrored=False)
    assert all(np.array_equal(one, other) for one, other in zip(plain, left_out, strict=True))
    monkeypatch.setattr(Spot, "mirror_safe", False)
    assert all(np.array_equal(one, other) for one, other in zip(plain, spots(make(flips=True)), strict=True))


def test_the_summary_of_a_patient_is_that_of_the_windows_as_they_are():
    rows = TestRows(np.arange(3))
    first, second = (evaluate(untrained(one), one, rows).summary for one in (make(), make(flips=True)))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("batch", [7, 16])
def test_batches_of_views_are_of_nearly_equal_size(batch):
    fitted = trained(make(), batch=batch)
    assert fitted.recipe.batch == batch
    assert fitted.done >= 1
