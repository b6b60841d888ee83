import numpy as np
import pytest

from polyclinic.evidence import folds
from polyclinic.evidence.folds import Layout, assess, lay_out
from polyclinic.evidence.forms.classes.binary import BinaryCase
from polyclinic.evidence.intervals import draw
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics.discrimination import auroc
from polyclinic.predictions.record import Samples

RANKED = Metric("ranked", lambda case, w: auroc(case.truth, case.probability, w), Better.HIGHER, "")
POOLED = Metric("pooled", RANKED.function, Better.HIGHER, "", pooled=True)


def _case(truth, probability):
    truth, probability = np.array(truth, dtype=float), np.array(probability, dtype=float)
    zero = np.zeros(len(truth))
    return BinaryCase(truth, probability, probability, zero, zero, zero.astype(int), "", 0.5, "youden")


def _layout(fold, repeat=None, patient=None):
    n = len(fold)
    row = np.arange(1, n + 1)
    return Layout(row, np.array(patient or range(n)), np.array(fold), np.array(repeat or [0] * n))


def test_each_fold_is_judged_by_itself_and_counts_by_its_samples():
    case = _case([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.9, 0.8, 0.85, 0.95])
    layout = _layout([0, 0, 1, 1, 1, 1])
    found = assess([RANKED, POOLED], case, layout, draw(6, 0, 1))
    assert found["ranked"].value == pytest.approx((2 * 1 + 4 * 0.5) / 6)
    assert found["pooled"].value == pytest.approx(5 / 9)  # the scores of the two folds share no scale
    assert list(found) == ["ranked", "pooled"]
    assert found["ranked"].n == 6


def test_repetitions_are_averaged():
    case = _case([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.1])
    layout = _layout([0, 0, 1, 1], repeat=[0, 0, 1, 1])
    found = assess([RANKED, POOLED], case, layout, draw(4, 0, 1))
    assert found["ranked"].value == found["pooled"].value == 0.5


def test_a_fold_without_a_figure_is_left_out():
    case = _case([0, 1, 0, 0], [0.1, 0.2, 0.2, 0.1])
    assert assess([RANKED], case, _layout([0, 0, 1, 1]), draw(4, 0, 1))["ranked"].value == 1
    nobody = assess([RANKED], case.take(np.array([2, 3])), _layout([1, 1]), draw(2, 3, 1))["ranked"]
    assert np.isnan(nobody.value)
    assert nobody.degenerate == 3


def test_resamples_repeat_the_patients_in_every_fold(monkeypatch):
    monkeypatch.setattr(folds, "BLOCK", 7)  # several small blocks
    rng = np.random.default_rng(0)
    truth, chance = rng.integers(0, 2, 40).astype(float), rng.random(40)
    fold, patient = np.arange(40) % 2, (np.arange(40) // 3).tolist()
    counts = draw(max(patient) + 1, 9, seed=1)
    found = assess([RANKED], _case(truth, chance), _layout(fold.tolist(), patient=patient), counts)["ranked"]
    for number, drawn in enumerate(counts):
        copies = drawn[patient].astype(int)
        sizes, figures = [], []
        for k in (0, 1):
            again = np.repeat(np.flatnonzero(fold == k), copies[fold == k])
            sizes.append(len(again))
            figures.append(auroc(truth[again], chance[again]))
        assert found.resampled[number] == pytest.approx(np.average(figures, weights=sizes))


def test_a_figure_that_resampling_raises_keeps_its_place():
    noise = Metric(
        "noise", lambda case, w: np.full(len(w), 0.9) if w is not None else 0.2, Better.LOWER, "", raised=True
    )
    found = assess([noise], _case([0, 1], [0.1, 0.2]), _layout([0, 0]), draw(2, 5, 1))["noise"]
    np.testing.assert_allclose(found.resampled, 0.2)


def test_layout_numbers_patients_and_folds():
    none = np.zeros(4, dtype=int)
    samples = Samples(
        row=np.arange(1, 5),
        patient=np.array(["b", "a", "b", "c"], dtype=object),
        part=np.array(["test"] * 4, dtype=object),
        repeat=np.array([0, 0, 1, 1]),
        fold=none,
        site=None,
        strata={},
    )
    layout = lay_out(samples)
    assert layout.patient.tolist() == [1, 0, 1, 2]
    assert layout.fold.tolist() == [0, 0, 1, 1]
    assert (layout.rows, layout.patients) == (4, 3)
