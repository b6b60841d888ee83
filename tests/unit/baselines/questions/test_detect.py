import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from polyclinic.baselines.questions.base import PlainQuestion
from polyclinic.baselines.questions.detect import PlainDetect, find_blobs, fit_blobs
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.evidence.metrics.detection import overlaps
from polyclinic.geometry import GridGeometry, Lattice
from polyclinic.heads.base import GroundFacts
from polyclinic.heads.detect import Detect
from toys.dense import unlit


def scene(seed, shape):
    """A large bright object and a small one in noise, with their boxes."""
    rng = np.random.default_rng(seed)
    grid = rng.normal(0, 0.2, shape).astype(np.float32)
    boxes = []
    for klass, (edge, at) in enumerate(((9, 3), (4, 17))):
        low = np.array([at, *rng.integers(2, 14, len(shape) - 1)])
        grid[tuple(slice(a, a + edge) for a in low)] += 2.0
        boxes.append([float(klass), *low, *(low + edge)])
    return grid, boxes


def question(dim, n=12):
    shape, step = (24,) * dim, 2.0
    scenes = [scene(k, shape) for k in range(n)]
    cells = []
    for _, boxes in scenes:
        corners = [[step * one for one in box[1:]] for box in boxes]
        if dim == 2:
            corners = [[left, top, right, bottom] for top, left, bottom, right in corners]
        names = ["small" if box[0] else "large" for box in boxes]
        cells.append(json.dumps([{"label": a, "box": b} for a, b in zip(names, corners, strict=True)]))
    geometry = GridGeometry((48,) * dim)
    to_source = np.concatenate([step * np.eye(dim), np.full((dim, 1), 0.5)], axis=1)
    places = [Lattice(shape, geometry, to_source)] * n
    head = Detect("asked", Detect.Options(on="film", column="boxes"))
    target = head.read_target(pl.DataFrame({"boxes": cells}), "cohort.csv")
    target = head.match(target, GroundFacts([geometry] * n, unlit, Path(), None))
    rows = Inner(TrainRows(np.arange(8)), TuneRows(np.arange(8, 12)))
    head = head.fit(target, rows.train)
    placed = head.on_grid(target, places, None)
    return target, PlainQuestion(head, placed, places, lambda row: scenes[row][0][None], rows, 1)


@pytest.mark.parametrize("dim", [2, 3])
def test_blobs_are_found_and_named(dim):
    target, asked = question(dim)
    answer = fit_blobs(asked)
    for row in range(8, 12):
        said, truth = answer(row), target.objects.boxes[row]
        best = [said[said[:, 1] == k][0] for k in (0, 1)]
        assert all(one[0] > 0 for one in best)
        assert overlaps(np.array(best)[:, 2:].astype(float), truth[:, 1:].astype(float)).diagonal().min() > 0.5


def test_touching_objects_are_parted():
    row, column = np.mgrid[0:40, 0:60]
    discs = [((row - 20) ** 2 + (column - at) ** 2) < 100 for at in (18, 36)]
    blobs = find_blobs((discs[0] | discs[1]).astype(np.float32)[None])
    truth = np.array([[10.0, 8, 31, 29], [10.0, 26, 31, 47]])
    assert (overlaps(blobs.boxes, truth).max(axis=0) > 0.75).all()


def test_a_plain_field_has_no_blobs_and_no_objects_no_model():
    assert len(find_blobs(np.zeros((1, 20, 20), dtype=np.float32)).boxes) == 0
    _, asked = question(2)
    empty = replace(asked.truth, boxes=tuple(one[:0] for one in asked.truth.boxes))
    assert fit_blobs(PlainQuestion(asked.head, empty, asked.places, asked.values, asked.rows, 1)) is None


def test_it_is_registered_for_boxes():
    _, asked = question(2)
    assert [sort.name for sort in PlainDetect().sorts(asked.head)] == ["blobs and logistic regression"]
