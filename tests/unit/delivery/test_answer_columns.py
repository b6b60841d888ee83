"""Dense answers as columns of the table of new patients."""

import json

import numpy as np
import pytest

from polyclinic.answers.base import Answer
from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.answers.relations import RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.delivery.forms.base import AnswerLimits, Columns, delivery_of
from polyclinic.formats.packed import nothing, pack, pack_all

MANY = 60


def answer_columns(answer: Answer, tune: Answer, confidence: float) -> Columns:
    return delivery_of(answer).columns(answer, AnswerLimits(tune, confidence))


def scans(sizes: list[int | None], truth: list[int] | None = None, spacing: float = 2.0, dim: int = 3) -> MaskAnswer:
    """A region of so many points in each record."""

    def drawn(size: int, level: int) -> np.ndarray:
        grid = np.zeros((1, *[6] * dim), dtype=np.uint8)
        grid.reshape(-1)[:size] = level
        return grid

    samples = len(sizes)
    probability = nothing(samples)
    for position, size in enumerate(sizes):
        probability[position] = b"" if size is None else pack(drawn(size, 255))
    true = nothing(samples) if truth is None else pack_all([drawn(size, 1) for size in truth])
    half, steps = np.full((samples, 1), 0.5), np.full((samples, dim), spacing)
    return MaskAnswer(("lesion",), False, "mm", half, steps, nothing(samples), probability, true)


def test_volumes_are_in_ml_with_an_interval_learned_from_tune_rows():
    tune = scans([100] * MANY, [90 + n % 11 for n in range(MANY)])
    columns = answer_columns(scans([100, None, 0]), tune, 0.9)
    assert columns["points_lesion"].to_list() == [100, None, 0]
    assert columns["volume_lesion_ml"].to_list() == [pytest.approx(0.8), None, 0.0]
    assert columns["volume_lesion_ml_low"].to_list() == [pytest.approx(0.8 - 0.08), None, 0.0]
    assert columns["volume_lesion_ml_high"][0] == pytest.approx(0.8 + 0.08)
    assert not delivery_of(tune).torn(tune, AnswerLimits(tune, 0.9)).any()


def test_sizes_in_pictures_are_areas_and_without_spacing_points():
    columns = answer_columns(scans([10], dim=2), scans([10] * MANY, [10] * MANY, dim=2), 0.9)
    assert columns["area_lesion_mm2"].to_list() == [40.0]
    unknown = scans([10], spacing=np.nan)
    columns = answer_columns(unknown, scans([10] * MANY, [10] * MANY, spacing=np.nan), 0.9)
    assert list(columns) == ["points_lesion"]


def test_no_promise_from_a_handful_of_tune_rows():
    columns = answer_columns(scans([10]), scans([10, 12], [10, 10]), 0.95)
    assert columns["volume_lesion_ml_low"].to_list() == [None]


def boxes(scores: list[list[float] | None], objects: int) -> BoxAnswer:
    predicted, truth = nothing(len(scores)), nothing(len(scores))
    for position, row in enumerate(scores):
        found = np.array([[s, 1, 0, 0, 4, 4] for s in row or []], dtype=np.float32).reshape(-1, 6)
        predicted[position] = b"" if row is None else pack(found)
        truth[position] = pack(np.array([[1, 0, 0, 4, 4]] * objects, dtype=np.float32).reshape(-1, 5))
    return BoxAnswer(("mass", "nodule"), "px", np.full((len(scores), 2), 0.4), predicted, truth)


def test_boxes_are_counted_above_their_threshold():
    columns = answer_columns(boxes([[0.9, 0.5, 0.1], [], None], 0), boxes([[0.9]] * MANY, 2), 0.9)
    assert columns["count_nodule"].to_list() == [2, 0, None]
    assert columns["count_nodule_low"].to_list() == [1, 0, None]
    assert columns["count_nodule_high"].to_list() == [3, 1, None]
    assert columns["highest_nodule"].to_list() == [pytest.approx(0.9), 0.0, None]
    assert columns["count_mass"].to_list() == [0, 0, None]


def cells(spacing: float) -> CellsAnswer:
    grid = np.zeros((8, 8), dtype=np.int32)
    grid[:2, :2], grid[4:6, 4:8] = 1, 2
    found = pack_all([grid, np.zeros_like(grid)])
    scores = pack_all([np.array([0.9, 0.8], dtype=np.float32), np.zeros(0, dtype=np.float32)])
    return CellsAnswer("um", np.full((2, 2), spacing), scores, found, found)


def test_cells_are_counted_and_measured():
    columns = answer_columns(cells(0.5), cells(0.5), 0.9)
    assert columns["cells"].to_list() == [2, 0]
    assert columns["mean_area_um2"].to_list() == [1.5, None]
    assert "mean_area_px2" in answer_columns(cells(np.nan), cells(np.nan), 0.9)


def test_spans_are_a_list_that_a_program_reads():
    found = nothing(2)
    found[0] = pack(np.array([[3, 9, 1, 0.87654321, 0], [12, 20, 0, 0.5, -1]]))
    answer = SpanAnswer(("drug", "disease"), ("negated",), found, nothing(2))
    columns = answer_columns(answer, answer, 0.9)
    assert json.loads(columns["spans"][0]) == [
        {"start": 3, "end": 9, "label": "disease", "confidence": 0.8765, "assertion": "negated"},
        {"start": 12, "end": 20, "label": "drug", "confidence": 0.5},
    ]
    assert columns["spans"][1] is None
    assert columns["count_drug"].to_list() == [1, None]


def test_relations_leave_out_what_is_not_related():
    pairs = np.array([[0, 3, 5, 9, -1, 1, 0.2, 0.8], [0, 3, 11, 14, -1, 0, 0.9, 0.1]])
    answer = RelationAnswer(("none", "treats"), pack_all([pairs]))
    columns = answer_columns(answer, answer, 0.9)
    assert json.loads(columns["relations"][0]) == [
        {"head": [0, 3], "tail": [5, 9], "type": "treats", "confidence": 0.8}
    ]
    assert columns["count_treats"].to_list() == [1]
