"""Pixel classifiers: what they see of a point, and that they find what single points tell."""

import numpy as np
import pytest

from known.drawn_masks import balls
from polyclinic.baselines.questions import segment as plain_pixels
from polyclinic.baselines.questions.base import PlainQuestion
from polyclinic.baselines.questions.segment import PlainSegment
from polyclinic.cohort.rows import Inner, TrainRows, TuneRows
from polyclinic.formats.packed import unpack
from polyclinic.geometry import GridGeometry, identity
from polyclinic.heads.segment import MaskTruth, Segment
from polyclinic.records.cache import gather
from polyclinic.records.masks.masks import ColumnMasks, Region
from polyclinic.records.masks.resampled import resample_masks

ROWS = 6
FITS = [plain_pixels.fit_logistic, plain_pixels.fit_boosting]


def question(shape, *, exclusive=True, known=ROWS, empty=False):
    """Two balls a record, one brighter than the ground and one darker."""
    values, layers = [], []
    for row in range(ROWS):
        rng = np.random.default_rng(row)
        middle = rng.uniform(0.3, 0.7, len(shape)) * shape
        away = np.array([7.0] + [0.0] * (len(shape) - 1))
        bright, dark = (balls(shape, (1,) * len(shape), [(*at, 3.2)]) for at in (middle - away / 2, middle + away / 2))
        values.append((rng.normal(0, 0.3, shape) + 2 * bright - 2 * dark).astype(np.float32)[None])
        label = (bright + 2 * dark).astype(np.uint8)
        layers.append((0 * label if empty else label)[None])
    entry = np.where(np.arange(ROWS) < known, np.arange(ROWS), -1)
    drawn = ColumnMasks(gather((layer, "") for layer in layers), entry, (((0, 1, 2),),) * ROWS, (), "key")
    chosen = ((1,), (2,)) if exclusive else ((1, 2), (2,))
    regions = [Region(name, 0, labels) for name, labels in zip(("one", "two"), chosen, strict=True)]
    lattices = [identity(GridGeometry(shape))] * ROWS
    placed = resample_masks(drawn, None, regions, lattices, None, exclusive=exclusive)
    rows = Inner(TrainRows(np.arange(4)), TuneRows(np.arange(4, 6)))
    return PlainQuestion(None, MaskTruth(placed, len(shape)), lattices, values.__getitem__, rows, 1)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(plain_pixels, "_TREES", 15)


def dice(said, truth):
    return 2 * (said & truth).sum() / (said.sum() + truth.sum())


@pytest.mark.parametrize(
    ("fit", "shape"),
    [(FITS[0], (34, 30)), (FITS[1], (34, 30)), (FITS[0], (22, 20, 12)), (FITS[0], (24, 22, 1))],
)
def test_what_single_points_tell_is_found(fit, shape):
    asked = question(shape)
    said = unpack(fit(asked)(5).probability) > 32767
    truth = asked.truth.masks.whole(5)[:-1] > 0
    assert min(dice(said[k], truth[k]) for k in range(2)) > 0.8


def test_regions_that_overlap_have_a_classifier_each():
    asked = question((34, 30), exclusive=False)
    said = unpack(plain_pixels.fit_logistic(asked)(4).probability) > 32767
    truth = asked.truth.masks.whole(4)[:-1] > 0
    assert min(dice(said[k], truth[k]) for k in range(2)) > 0.7
    assert (said[0] & said[1]).any()


def test_slabs_change_nothing(monkeypatch):
    values = np.random.default_rng(0).normal(size=(2, 70, 9, 8)).astype(np.float32)
    whole = plain_pixels.describe(values, 0, 70)
    parts = [plain_pixels.describe(values, first, last) for first, last in ((0, 20), (20, 41), (41, 70))]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    monkeypatch.setattr(plain_pixels, "_SLAB", 100)
    assert list(plain_pixels._slabs((5, 10, 5)))[:2] == [(0, 2), (2, 4)]


def test_eigenvalues_by_formula_are_those_of_numpy():
    half = np.random.default_rng(0).normal(size=(50, 2, 2))
    hessian = half + half.transpose(0, 2, 1)
    np.testing.assert_allclose(np.stack(list(plain_pixels._eigenvalues(hessian)), -1), np.linalg.eigvalsh(hessian))


@pytest.mark.parametrize("fit", FITS)
def test_nothing_to_learn_from_gives_no_model(fit):
    assert fit(question((34, 30), known=0)) is None
    assert fit(question((34, 30), empty=True)) is None


def test_the_same_seed_gives_the_same_answer(monkeypatch):
    monkeypatch.setattr(plain_pixels, "_TREES", 2)
    first, second = (plain_pixels.fit_boosting(question((34, 30)))(5).probability for _ in range(2))
    assert first == second


def test_the_head_has_two_plain_models():
    head = Segment("vessels", Segment.Options(on="fundus", column="vessels"))
    assert [sort.name for sort in PlainSegment().sorts(head)] == ["pixel logistic", "pixel boosting"]
