"""Boxes through a whole fit on the smallest input with places: a bright square in noise."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import Inner, TestRows, TrainRows, TuneRows
from polyclinic.errors import CohortError, ReadError, Severity
from polyclinic.evidence.folds import Layout
from polyclinic.evidence.forms.base import Part, judge_of
from polyclinic.formats.packed import unpack
from polyclinic.geometry import BoxMarks, GridGeometry, GridKnown, Lattice, identity
from polyclinic.heads.base import GroundFacts, Question, objects
from polyclinic.heads.detect import Detect, DetectPlan
from polyclinic.inputs.base import InputColumns
from polyclinic.layers.objects.detector import boxes_at
from polyclinic.model import build
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.tensors import Movement
from polyclinic.training.fit import fit
from polyclinic.training.outputs import evaluate
from polyclinic.training.ready import Ready
from toys.dense import EDGE, Square, truth_of, unlit

ROWS = Inner(TrainRows(np.arange(24)), TuneRows(np.arange(24, 32)))
TEST = TestRows(np.arange(32, 40))


def known(n=40):
    return [GridKnown(GridGeometry((EDGE, EDGE)), truth_of(k).astype(np.int32)) for k in range(n)]


def head_and_target(cells=None, shape=(EDGE, EDGE), **keys):
    if cells is None:
        rng = np.random.default_rng(0)
        frame, more = Detect.example_on(rng, known(), Path(), "asked")
    else:
        frame, more = pl.DataFrame({"boxes": cells}, schema={"boxes": pl.String}), {"column": "boxes"}
    head = Detect("asked", Detect.Options.model_validate_json(json.dumps({"on": "film", **more, **keys})))
    target = head.read_target(frame, "cohort.csv")
    return head, head.match(target, GroundFacts([GridGeometry(shape)] * len(frame), unlit, Path(), None))


def make(**keys) -> Ready:
    square = Square("film", Square.Options(column="film")).facing()
    film = InputColumns.read(square, ColumnCells(pl.DataFrame({"film": range(40)}), Path(), "cohort.csv"))
    head, target = head_and_target(stride=1, **keys)
    return Ready.fit({"film": film}, {"asked": Question(head, target)}, ROWS.train)


@pytest.fixture(scope="module")
def trained():
    ready = make()
    model = build(ready.inputs, ready.heads, ModelSection(size=Size.TINY), seed=1)
    fitted = fit(model, ready, ROWS, TrainingSection(epochs=12, precision="fp32", learning_rate=8e-3), seed=1)
    tune = evaluate(fitted.model, ready, ROWS.tune).by_target["asked"]
    target, head = ready.questions["asked"].target, ready.heads["asked"]
    head = head.calibrate(tune, target.take(ROWS.tune.index), "auto")
    return head, target.take(TEST.index), evaluate(fitted.model, ready, TEST).by_target["asked"]


def cell(*boxes, label="spot"):
    return json.dumps([{"label": label, "box": list(box)} for box in boxes])


def test_squares_are_found_where_they_are(trained):
    head, target, raws = trained
    answer = head.decode(raws, target)
    form = judge_of(answer)
    layout = Layout(np.arange(8), np.arange(8), np.zeros(8, dtype=int), np.zeros(8, dtype=int))
    case = form.case(Part(answer, layout), None)
    assert float(form.metric("map_50").function(case, None)) > 0.7
    assert float(form.metric("count_error").function(case, None)) < 0.3
    assert form.check(answer, np.arange(8), "predictions") == []


def test_marks_hold_what_counts_and_what_is_there(trained):
    head, target, raws = trained
    answer = head.decode(raws, target)
    marks = head.marks(answer, 0)
    assert isinstance(marks, BoxMarks)
    assert (marks.names, marks.truth.shape, marks.predicted.shape[1]) == (("spot",), (1, 5), 5)
    assert len(marks.predicted) < len(unpack(answer.predicted[0]))
    assert head.marks(head.decode(raws, None), 0).truth is None


def test_the_plan_survives_json_and_the_average_of_the_same_is_the_same(trained):
    head, target, raws = trained
    plan = DetectPlan.model_validate_json(head.plan.model_dump_json())
    answer = Detect("asked", head.options, plan).decode(raws, target)
    assert answer.predicted.tolist() == head.decode(raws, target).predicted.tolist()
    both = average_answers((answer, answer))
    for one, other in zip(both.predicted, answer.predicted, strict=True):
        np.testing.assert_array_equal(unpack(one), unpack(other))


def test_absent_records_have_no_boxes(trained):
    head, _, raws = trained
    answer = head.decode(objects([None, raws[0]]), None)
    assert unpack(answer.predicted[0]).shape == (0, 6)
    assert answer.truth.tolist() == [b"", b""]


def test_empty_cells_are_not_known_and_empty_lists_are():
    head, target = head_and_target([cell((1, 1, 5, 5)), "[]", None, " "])
    assert target.known.tolist() == [True, True, False, False]
    head = head.fit(target, TrainRows(np.arange(4)))
    truth = head.decode(objects([None] * 4), target).truth
    assert [len(one) > 0 for one in truth] == [True, True, False, False]
    assert unpack(truth[1]).shape == (0, 5)
    assert target.strata().tolist() == [1, 0, -1, -1]


def test_refusals_can_be_accepted_and_everything_else_stops():
    _head, target = head_and_target([cell((1, 1, 1, 5), (2, 2, 9, 9)), cell((-9, 2, 5, 9))])
    found = {f.name: f for f in target.check("here")}
    assert found["empty_boxes"].severity is Severity.REFUSED
    assert found["boxes_outside"].rows == (2,)
    assert found["few_objects"].severity is Severity.WARNING
    assert [len(one) for one in target.objects.boxes] == [1, 1]
    with pytest.raises(CohortError, match="hold boxes") as caught:
        head_and_target(["Maria, two cells", cell((1, 1, 5, 5))])
    assert "Maria" not in str(caught.value)
    with pytest.raises(CohortError, match="one of spot"):
        head_and_target([cell((1, 1, 5, 5), label="dot")], classes=["spot"])
    with pytest.raises(ReadError, match="lead to a file"):
        head_and_target(["nowhere.xml"])


def test_a_column_that_holds_no_text_or_nothing():
    head, _ = head_and_target()
    for column, rule in (([1, 2], "boxes, or paths"), ([None, None], "the outcome")):
        with pytest.raises(CohortError, match=rule):
            head.read_target(pl.DataFrame({"asked_boxes": column}), "cohort.csv")
    with pytest.raises(CohortError, match="asked_boxes"):
        head.read_target(pl.DataFrame({"other": ["[]"]}), "cohort.csv")


def test_views_aim_at_the_rare_class_rather_than_the_common_one():
    boxes = [{"label": "red", "box": [k, 0, k + 2, 2]} for k in range(0, 18, 2)]
    cells = [json.dumps([*boxes, {"label": "white", "box": [20, 20, 22, 22]}])] * 4
    head, target = head_and_target(cells)
    head = head.fit(target, TrainRows(np.arange(4)))
    placed = head.on_grid(target, [identity(GridGeometry((EDGE, EDGE)))] * 4, None)
    aim = placed.aim(np.zeros(600, dtype=np.int64), np.random.default_rng(0))
    nowhere = np.isnan(aim[:, 0])
    assert 0.25 < nowhere.mean() < 0.42
    assert (aim[~nowhere] == 20.5).all(axis=1).mean() > 0.6


def said_from(boxes, size):
    """An output with a peak for each box, as the detector would give it on a map with step 1."""
    output = torch.full((1, 5, *size), -12.0)
    for logit, top, left, bottom, right in boxes:
        row, column = int((top + bottom) / 2), int((left + right) / 2)
        output[0, 0, row, column] = logit
        reach = [row + 0.5 - top, column + 0.5 - left, bottom - row - 0.5, right - column - 0.5]
        output[0, 1:, row, column] = (torch.tensor(reach) / 4).log()
    return output


def test_windows_become_one_record_and_the_cut_part_gives_way():
    head, target = head_and_target([cell((1, 1, 5, 5))], shape=(20, 40))
    head = head.fit(target, TrainRows(np.arange(1)))
    gatherer = head.gatherer(Lattice((20, 40), GridGeometry((40, 80)), np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])))
    left, right = torch.tensor([[0, 0]]), torch.tensor([[0, 10]])
    # A box of 8 across at 14 .. 22 of the record: the first window ends at 20 and sees a part of it, with more zeal.
    gatherer.add(said_from([(3.0, 4, 14, 12, 20)], (20, 20)), Movement(left, (20, 20), None, (20, 20)))
    gatherer.add(said_from([(2.0, 4, 4, 12, 12)], (20, 20)), Movement(right, (20, 20), None, (20, 20)))
    found = gatherer.close()
    np.testing.assert_allclose(found, [[2, 0, 8, 28, 24, 44]], atol=1e-4)


def test_a_reach_is_told_in_points_of_the_grid():
    boxes = boxes_at(torch.zeros(1, 4, 2, 2), (16, 8))
    assert boxes[0, 0, 0].tolist() == [4 - 32, 2 - 16, 4 + 32, 2 + 16]
