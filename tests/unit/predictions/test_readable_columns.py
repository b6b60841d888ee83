"""Dense and tagged answers read from the saved table with polars and json alone, held against the arrays."""

import json
import zlib

import numpy as np
import polars as pl
import pytest

from polyclinic.answers.base import Answer
from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.answers.relations import RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.formats import readable
from polyclinic.formats.packed import nothing, pack, pack_all
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.predictions.table import load, save


@pytest.fixture
def columns(tmp_path):
    """The JSON of an answer, saved and read by another program."""

    def columns(answer: Answer) -> dict[str, list]:
        n = len(answer)
        zeros = np.zeros(n, dtype=np.int64)
        samples = Samples(np.arange(1, n + 1), np.arange(n), np.full(n, "test", dtype=object), zeros, zeros, None, {})
        save([Predictions("m", samples, {"it": answer}, np.zeros(n))], tmp_path / "p.parquet")
        assert type(load(tmp_path / "p.parquet")[0].answers["it"]) is type(answer)
        table = pl.read_parquet(tmp_path / "p.parquet")
        named = [name for name in table.columns if name.endswith("_json")]
        return {name: [None if cell is None else json.loads(cell) for cell in table[name]] for name in named}

    return columns


def region(size: list[int], counts: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)) % 2, counts).reshape(size, order="F")


def test_spans_have_offsets_and_labels_and_no_text(columns):
    found, truth = nothing(3), nothing(3)
    found[0] = pack(np.array([[3, 9, 1, 0.87654321, 0], [12, 20, 0, 0.5, -1]]))
    found[2] = pack(np.zeros((0, 5)))
    truth[0] = pack(np.array([[3.0, 9, 1, 1, -1]]))
    truth[2] = pack(np.array([[0.0, 2, 0, 0, 0]]))
    read = columns(SpanAnswer(("drug", "disease"), ("negated",), found, truth))
    assert read["spans_predicted_json"] == [
        [
            {"start": 3, "end": 9, "label": "disease", "confidence": 0.8765, "assertion": "negated"},
            {"start": 12, "end": 20, "label": "drug", "confidence": 0.5},
        ],
        None,
        [],
    ]
    assert read["spans_truth_json"] == [
        [{"start": 3, "end": 9, "label": "disease", "seen": True}],
        None,
        [{"start": 0, "end": 2, "label": "drug", "seen": False, "assertion": "negated"}],
    ]


def test_relations_are_listed_where_there_are_some(columns):
    pairs = nothing(3)
    pairs[0] = pack(np.array([[0, 3, 5, 9, 0, 1, 0.2, 0.8], [0, 3, 11, 14, 1, 0, 0.9, 0.1]]))
    pairs[1] = pack(np.array([[0, 3, 5, 9, -1, 1, 0.3, 0.7]]))
    read = columns(RelationAnswer(("none", "treats"), pairs))
    assert read["relations_predicted_json"] == [
        [{"head": [0, 3], "tail": [5, 9], "type": "treats", "confidence": 0.8}],
        [{"head": [0, 3], "tail": [5, 9], "type": "treats", "confidence": 0.7}],
        None,
    ]
    assert read["relations_truth_json"] == [[{"head": [0, 3], "tail": [11, 14], "type": "treats"}], None, None]


def test_boxes_name_their_sides_and_say_whether_they_count(columns):
    predicted, truth = nothing(2), nothing(2)
    predicted[0] = pack(np.array([[0.9, 1, 2, 10, 6, 30], [0.3, 0, 1, 2, 3, 4]], dtype=np.float32))
    truth[0] = pack(np.array([[1, 2.5, 11, 6, 31]], dtype=np.float32))
    truth[1] = pack(np.zeros((0, 5), dtype=np.float32))
    thresholds = np.array([[0.2, 0.95], [0.2, 0.95]])
    read = columns(BoxAnswer(("mass", "nodule"), "px", thresholds, predicted, truth))
    assert read["boxes_predicted_json"] == [
        [
            {"label": "nodule", "x0": 10, "x1": 30, "y0": 2, "y1": 6, "score": 0.9, "counted": False},
            {"label": "mass", "x0": 2, "x1": 4, "y0": 1, "y1": 3, "score": 0.3, "counted": True},
        ],
        None,
    ]
    assert read["boxes_truth_json"] == [[{"label": "nodule", "x0": 11, "x1": 31, "y0": 2.5, "y1": 6}], []]


def test_boxes_in_scans_have_three_axes(columns):
    box = np.array([[0, 1, 2, 3, 4, 5, 6]], dtype=np.float32)
    packed = pack_all([np.insert(box, 0, 0.5, axis=1)])
    read = columns(BoxAnswer(("mass",), "px", np.array([[0.5]]), packed, pack_all([box])))
    assert read["boxes_truth_json"] == [[{"label": "mass", "i0": 1, "i1": 4, "j0": 2, "j1": 5, "k0": 3, "k1": 6}]]


@pytest.mark.parametrize("shape", [(9, 6), (4, 5, 3)])
def test_masks_are_the_decided_points_of_each_region(columns, shape):
    rng = np.random.default_rng(4)
    chances = [rng.integers(0, 256, (2, *shape), dtype=np.uint8) for _ in range(3)]
    truth = [rng.integers(0, 2, (2, *shape), dtype=np.uint8) for _ in range(3)]
    inside = nothing(3)
    inside[1] = pack(rng.random(shape) < 0.5)
    thresholds, spacing = np.array([[0.4, 0.8]] * 3), np.ones((3, len(shape)))
    packed = pack_all(chances)
    packed[2] = b""
    answer = MaskAnswer(("rim", "core"), False, "mm", thresholds, spacing, inside, packed, pack_all(truth))
    read = columns(answer)
    assert read["mask_predicted_json"][2] is None
    for row in range(3):
        pairs = [("mask_truth_json", truth[row] == 1)]
        if row < 2:
            within = np.ones(shape, dtype=bool) if row == 0 else unpacked(inside[1])
            reached = chances[row] >= np.array([102, 204]).reshape(2, *[1] * len(shape))
            pairs.append(("mask_predicted_json", reached & within))
        for name, expected in pairs:
            assert [one["label"] for one in read[name][row]] == ["rim", "core"]
            for one, points in zip(read[name][row], expected, strict=True):
                np.testing.assert_array_equal(region(one["size"], one["counts"]), points)


def unpacked(content: bytes) -> np.ndarray:
    """The truth values behind the head of a packed array, zipped."""
    length = int.from_bytes(content[4:8], "little")
    head = json.loads(content[8 : 8 + length])
    return np.frombuffer(zlib.decompress(content[8 + length :]), dtype=head["dtype"]).reshape(head["shape"])


def test_an_empty_region_is_told_from_one_that_is_not_known(columns):
    nought = pack_all([np.zeros((1, 4, 3), dtype=np.uint8)])
    answer = MaskAnswer(("lesion",), False, "px", np.array([[0.5]]), np.ones((1, 2)), nothing(1), nought, nothing(1))
    read = columns(answer)
    assert read["mask_predicted_json"] == [[{"label": "lesion", "size": [4, 3], "counts": [12]}]]
    assert read["mask_truth_json"] == [None]


def test_cells_come_one_by_one_with_their_scores(columns):
    grid = np.zeros((6, 8), dtype=np.int32)
    grid[:2, :2], grid[4:6, 4:8], grid[2, 2] = 3, 1, 5
    scores = np.array([0.7, 0.8, 0.95], dtype=np.float32)
    answer = CellsAnswer("um", np.ones((2, 2)), pack_all([scores, scores]), pack_all([grid, grid.T]), nothing(2))
    read = columns(answer)
    assert read["cells_truth_json"] == [None, None]
    for row, labels in enumerate((grid, grid.T)):
        cells = read["cells_predicted_json"][row]
        assert [(cell["cell"], cell["score"]) for cell in cells] == [(1, 0.7), (3, 0.8), (5, 0.95)]
        for cell in cells:
            np.testing.assert_array_equal(region(cell["size"], cell["counts"]), labels == cell["cell"])


def test_too_many_runs_leave_the_cell_empty_and_the_array_there(columns, monkeypatch):
    monkeypatch.setattr(readable, "MOST_RUNS", 8)
    grids = np.zeros((2, 4, 4), dtype=np.int32)
    grids[0, ::2, ::2], grids[1, 1:3, 1] = 1, 1
    answer = CellsAnswer("px", np.ones((2, 2)), nothing(2), pack_all(list(grids)), pack_all(list(grids)))
    read = columns(answer)
    for name in ("cells_predicted_json", "cells_truth_json"):
        assert read[name][0] is None
        np.testing.assert_array_equal(region(read[name][1][0]["size"], read[name][1][0]["counts"]), grids[1])
