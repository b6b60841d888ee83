"""What inputs with places and dense questions promise each other. A new file of either sort is under test at once."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.geometry import GridGeometry, Lattice, ObjectMarks, RegionMarks
from polyclinic.heads.base import Dense, GroundFacts, Question, objects
from polyclinic.inputs.base import InputColumns, Located
from polyclinic.model import build
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.predictions.table import load, save
from polyclinic.records.base import ColumnCells, LocatedRecords
from polyclinic.study import catalogue
from polyclinic.study.schema import ModelSection, Size
from polyclinic.training.outputs import evaluate
from polyclinic.training.ready import Ready

ROWS = 10
TRAIN = TrainRows(np.arange(8))
BATCH = np.arange(4)


def kinds_of(axis: str, base: type) -> list[str]:
    return [word for word in catalogue.names(axis) if issubclass(catalogue.find(axis, word), base)]


def pairs() -> list[tuple[str, str]]:
    inputs = {word: catalogue.find("inputs", word) for word in kinds_of("inputs", Located)}
    heads = {word: catalogue.find("heads", word) for word in kinds_of("heads", Dense)}
    grounds = {word: kind.ground for word, kind in inputs.items()}
    return [(w, q) for w in inputs for q, head in heads.items() if grounds[w] in head.grounds]


class Case(NamedTuple):
    """A pair on synthetic records, read, matched and made ready."""

    records: LocatedRecords
    table: pl.DataFrame
    head: Dense
    ready: Ready


def open_case(word: str, question: str, folder: Path, absent: tuple[int, ...] = (), unknown: int | None = None) -> Case:
    cls, asked = catalogue.find("inputs", word), catalogue.find("heads", question)
    rng = np.random.default_rng(5)
    signal = rng.standard_normal(ROWS)
    frame, keys, known = cls.example_known(rng, signal, folder, "seen")
    outcome, more = asked.example_on(rng, known, folder, "asked")
    keys = {"missing": "allow", **keys}
    kind = cls("seen", cls.Options.model_validate_json(json.dumps(keys))).facing()
    head = asked("asked", asked.Options.model_validate_json(json.dumps({"on": "seen", **more})))
    gone = pl.int_range(pl.len()).is_in(absent)
    frame = frame.with_columns(pl.when(gone).then(None).otherwise(pl.col(c)).alias(c) for c in frame.columns)
    if unknown is not None:
        blank = pl.int_range(pl.len()) == unknown
        outcome = outcome.with_columns(pl.when(blank).then(None).otherwise(pl.col(c)).alias(c) for c in outcome.columns)
    cells = ColumnCells(frame.select(kind.columns(tuple(frame.columns))), folder, "cohort.csv")
    seen = InputColumns.read(kind, cells)
    target = head.read_target(outcome, "cohort.csv")
    target = head.match(target, GroundFacts(seen.records.geometry(), seen.records.foreground, folder, None))
    ready = Ready.fit({"seen": seen}, {"asked": Question(head, target)}, TRAIN)
    return Case(seen.records, outcome, head, ready)


@pytest.fixture(params=pairs(), ids=lambda pair: "-".join(pair))
def pair(request) -> tuple[str, str]:
    return request.param


@pytest.fixture
def case(pair, tmp_path) -> Case:
    return open_case(*pair, tmp_path)


def network(ready: Ready) -> torch.nn.Module:
    return build(ready.inputs, ready.heads, ModelSection(size=Size.TINY), seed=1)


def answer_of(case: Case):
    ready = case.ready
    said = evaluate(network(ready).eval(), ready, TrainRows(np.arange(ROWS)))
    head = ready.heads["asked"].calibrate(said.by_target["asked"], ready.questions["asked"].target, "auto")
    return head, said.by_target["asked"], head.decode(said.by_target["asked"], ready.questions["asked"].target)


def test_every_option_has_a_line_of_help(case):
    for key, field in type(case.head.options).model_fields.items():
        assert field.description, key


def test_geometry_is_of_the_file_and_places_lead_back_to_it(case):
    geometry = case.records.geometry()
    places = case.ready.places["seen"]
    assert len(geometry) == len(places) == ROWS
    assert all(
        place.source == one or place.source.shape == one.shape for place, one in zip(places, geometry, strict=True)
    )


def test_a_view_follows_its_generator_and_holds_what_it_is_aimed_at(case):
    seen = case.ready.grounds["seen"]
    aim = case.ready.truth["asked"].aim(BATCH, np.random.default_rng(3))
    assert aim.shape[0] == len(BATCH)
    views = [seen.draw(BATCH, aim, torch.Generator().manual_seed(4), change=False) for _ in range(2)]
    (_, first), (_, second) = views
    assert torch.equal(first.start, second.start)
    start, told = first.start.numpy(), ~np.isnan(aim)
    assert ((aim >= start) | ~told).all()
    assert ((aim < start + np.array(first.cut)) | ~told).all()


def test_a_changed_view_is_of_the_same_size(case):
    seen = case.ready.grounds["seen"]
    aim = np.full((len(BATCH), case.ready.inputs["seen"].sight(Size.TINY).dim), np.nan)
    (_, plain), (_, changed) = (
        seen.draw(BATCH, aim, torch.Generator().manual_seed(4), change=change) for change in (False, True)
    )
    if "text" not in case.head.grounds:
        assert plain.size == changed.size


def test_windows_cover_every_point(case):
    seen, places = case.ready.grounds["seen"], case.ready.places["seen"]
    for row in range(3):
        shape = places[row].shape if isinstance(places[row], Lattice) else (len(places[row].offsets),)
        covered = np.zeros(shape, dtype=bool)
        for tensors, movement in seen.windows(row):
            assert len(tensors.present) == len(movement.start)
            assert movement.affine is None
            for start in movement.start.tolist():
                covered[tuple(slice(max(0, s), s + c) for s, c in zip(start, movement.cut, strict=True))] = True
        assert covered.all()


def test_one_loss_for_each_row_and_gradients_for_every_weight(case):
    ready, model = case.ready, network(case.ready)
    batch = ready.batch(BATCH, torch.Generator().manual_seed(1))
    loss = ready.heads["asked"].loss(model(batch.inputs).outputs["asked"], batch.targets["asked"])
    assert loss.shape == (len(BATCH),)
    assert torch.isfinite(loss).all()
    loss.mean().backward()
    reached = [w for name, w in model.named_parameters() if "@asked" in name]
    assert all(weight.grad is not None and torch.isfinite(weight.grad).all() for weight in reached)
    assert any(weight.grad.abs().sum() > 0 for weight in reached)


def test_an_unknown_outcome_adds_nothing(pair, tmp_path):
    ready = open_case(*pair, tmp_path, unknown=2).ready
    assert not ready.questions["asked"].target.known[2]
    batch = ready.batch(BATCH, torch.Generator().manual_seed(1))
    loss = ready.heads["asked"].loss(network(ready)(batch.inputs).outputs["asked"], batch.targets["asked"])
    assert loss[2] == 0


def test_answers_are_in_the_geometry_of_the_file(case):
    head, _, answer = answer_of(case)
    assert len(answer) == ROWS
    for row, geometry in enumerate(case.records.geometry()):
        marks = head.marks(answer, row)
        if isinstance(marks, RegionMarks | ObjectMarks):
            assert isinstance(geometry, GridGeometry)
            assert marks.predicted.shape[-len(geometry.shape) :] == geometry.shape
            assert marks.truth.shape == marks.predicted.shape


def test_an_answer_and_the_truth_can_be_shown(case):
    head, _, answer = answer_of(case)
    picture = case.records.show_marks(0, head.marks(answer, 0))
    assert picture.media_type in ("image/png", "image/svg+xml", "text/html")
    assert len(picture.content) > 100
    assert b"<script" not in picture.content


def same(first, second) -> None:
    for name, value in vars(first).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(second, name), err_msg=name)


def test_the_average_of_equal_answers_is_that_answer(case):
    answer = answer_of(case)[2]
    same(average_answers((answer, answer)), answer)


def test_the_plans_survive_json(case):
    head, raws, answer = answer_of(case)
    plan = type(head.plan).model_validate_json(head.plan.model_dump_json())
    same(type(head)("asked", head.options, plan).decode(raws, case.ready.questions["asked"].target), answer)
    kind = case.ready.inputs["seen"]
    plan = type(kind.plan).model_validate_json(kind.plan.model_dump_json())
    assert plan == kind.plan
    assert type(kind)("seen", kind.options, plan).dense


def test_answers_come_back_from_a_table_as_they_went(case, tmp_path):
    answer = answer_of(case)[2]
    numbers = np.arange(ROWS)
    words = np.array(["x"] * ROWS, dtype=object)
    samples = Samples(numbers + 1, words, np.full(ROWS, "test", dtype=object), 0 * numbers, 0 * numbers, None, {})
    save([Predictions("polyclinic", samples, {"asked": answer}, np.full(ROWS, 0.5))], tmp_path / "answers.parquet")
    [back] = load(tmp_path / "answers.parquet")
    assert type(back.answers["asked"]) is type(answer)
    same(back.answers["asked"], answer)


def test_an_absent_record_is_answered_by_nothing(pair, tmp_path):
    ready = open_case(*pair, tmp_path, absent=(9,)).ready
    assert ready.places["seen"][9] is None
    said = evaluate(network(ready).eval(), ready, TrainRows(np.array([8, 9])))
    assert said.by_target["asked"][1] is None
    assert len(ready.heads["asked"].decode(said.by_target["asked"], None)) == 2
    assert len(ready.heads["asked"].decode(objects([None]), None)) == 1


def test_new_patients_are_answered_without_an_outcome(case):
    head, raws, answer = answer_of(case)
    assert answer.form == head.form
    unasked = head.decode(raws, None)
    assert type(unasked) is type(answer)
    assert len(unasked) == ROWS


def test_a_question_with_mirrors_has_one_output_for_every_point(case):
    seen, head = case.ready.grounds["seen"], case.ready.heads["asked"]
    tensors, movement = next(iter(seen.windows(0)))
    with torch.no_grad():
        output = network(case.ready).eval()({"seen": tensors}).outputs["asked"]
    assert not head.mirror_safe or output.shape[2:] == movement.size  # only such an output can be run backwards
    assert seen.mirrors() == ()  # none but those that the study allows
