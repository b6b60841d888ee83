"""The penalty of a linear model: that which predicts patients who were left out best, chosen in training rows."""

from time import monotonic

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from polyclinic.baselines import penalty
from polyclinic.baselines.linear import fit_linear
from polyclinic.baselines.penalty import choose_inverse
from polyclinic.cohort.rows import TestRows, TrainRows
from polyclinic.records.base import Features
from polyclinic.study import catalogue


def sample(rows, width, signals=10, kind="classify", tested=0, seed=0):
    """Features of which some tell, and a head fitted on the first two thirds of the rows, or all but ``tested``."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, width)) + rng.standard_normal((rows, 1))
    signal = 1.2 * matrix[:, :signals].sum(axis=1) / np.sqrt(signals)
    made = catalogue.find("heads", kind)
    value = signal + rng.logistic(size=rows)
    column = (value > 0).astype(int) if kind == "classify" else value
    frame = pl.DataFrame({"outcome": column, "seen": (rng.random(rows) < 0.7).astype(int), "days": np.exp(-value)})
    keys = {"event": "seen", "time": "days", "method": "cox"} if kind == "survive" else {"column": "outcome"}
    head = made("outcome", made.Options(**keys))
    target = head.read_target(frame, "cohort.csv")
    first = rows - tested if tested else 2 * rows // 3
    train = TrainRows(np.arange(first))
    features = Features(matrix, tuple(f"f{i}" for i in range(width)), (False,) * width)
    return head.fit(target, train), target, features, train, TestRows(np.arange(first, rows)), column


@pytest.mark.parametrize(("rows", "width"), [(1300, 5), (1200, 40), (1080, 600)])
def test_logistic_regression_is_as_good_as_scikit_learns_cross_validated_one(rows, width):
    head, target, features, train, test, truth = sample(rows, width, tested=1000)
    ours = fit_linear(head, target, features, train, np.arange(rows), 1, seed=1).outputs(features, test)[:, 0, 0]
    scale = StandardScaler().fit(features.matrix[train.index])
    theirs = LogisticRegressionCV(
        Cs=np.logspace(-7, 4, 23),
        cv=5,
        scoring="neg_log_loss",
        max_iter=2000,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    ).fit(scale.transform(features.matrix[train.index]), truth[train.index])
    expected = log_loss(truth[test.index], theirs.predict_proba(scale.transform(features.matrix[test.index])))
    assert log_loss(truth[test.index], 1 / (1 + np.exp(-ours))) < expected + 0.01
    assert expected < 0.66


@pytest.mark.parametrize(("rows", "width"), [(1100, 5), (1080, 600)])
def test_ridge_regression_is_as_good_as_scikit_learns_cross_validated_one(rows, width):
    head, target, features, train, test, truth = sample(rows, width, kind="regress", tested=1000)
    ours = fit_linear(head, target, features, train, np.arange(rows), 1, seed=1).outputs(features, test)[:, 0, 0]
    ours = ours * truth[train.index].std() + truth[train.index].mean()
    scale = StandardScaler().fit(features.matrix[train.index])
    theirs = RidgeCV(alphas=np.logspace(-3, 6, 30), cv=5)
    theirs.fit(scale.transform(features.matrix[train.index]), truth[train.index])
    expected = np.sqrt(np.mean((theirs.predict(scale.transform(features.matrix[test.index])) - truth[test.index]) ** 2))
    assert np.sqrt(np.mean((ours - truth[test.index]) ** 2)) < 1.02 * expected


def chosen(head, target, features, index, patients, seed=1):
    return choose_inverse(head, target, features.matrix[index], index, patients, 1, seed)


def test_noise_is_pulled_to_nothing_and_a_clear_signal_is_not():
    rows = 200
    head, target, features, train, _, _ = sample(rows, 50, signals=1)
    rng = np.random.default_rng(5)
    noise = Features(rng.standard_normal((rows, 50)), features.names, features.categorical)
    patients = np.arange(rows)
    strong = chosen(head, target, noise, train.index, patients)
    weak = chosen(head, target, features, train.index, patients)
    assert strong < 0.03 * weak


def test_patients_are_left_out_whole():
    """Forty copies of each patient: left out by row, every penalty is too much; by patient, the noise shows."""
    head, target, features, train, _, _ = sample(60, 80, signals=1)
    rows = np.repeat(train.index, 10)
    patients = np.arange(60)
    once = chosen(head, target, features, train.index, patients)
    wide = target.__class__(target.known[rows], target.truth[rows], target.classes, target.assumed)
    copied = Features(features.matrix[rows], features.names, features.categorical)
    index = np.arange(len(rows))
    by_patient = chosen(head, wide, copied, index, patients[rows])
    by_row = chosen(head, wide, copied, index, index)
    assert by_patient < once  # ten times the rows, each a tenth as new
    assert by_row > 100 * by_patient


def test_rows_outside_of_training_and_unknown_outcomes_change_nothing():
    head, target, features, train, test, _ = sample(120, 30)
    patients = np.arange(120)
    first = chosen(head, target, features, train.index, patients)
    truth, matrix, known = target.truth.copy(), features.matrix.copy(), target.known.copy()
    truth[test.index], matrix[test.index] = 1 - truth[test.index], 100.0
    other = type(target)(known, truth, target.classes, target.assumed)
    moved = Features(matrix, features.names, features.categorical)
    assert chosen(head, other, moved, train.index, patients) == first
    known[:20], matrix[:20] = False, 7.0
    lacking = type(target)(known, np.where(known, truth, -1), target.classes, target.assumed)
    rest = chosen(head, lacking, Features(matrix, features.names, features.categorical), train.index, patients)
    assert rest == chosen(head, target, features, train.index[20:], patients)


def test_few_patients_have_the_usual_penalty():
    head, target, features, train, _, _ = sample(60, 8)
    assert chosen(head, target, features, train.index, np.arange(60) % 9) == penalty.USUAL_INVERSE
    assert chosen(head, target, features, train.index, np.arange(60) % 10) != penalty.USUAL_INVERSE


@pytest.mark.parametrize("kind", ["regress", "survive"])
def test_every_loss_has_its_minimum(kind):
    head, target, features, train, _, _ = sample(200, 100, signals=1, kind=kind)
    patients = np.arange(200)
    noise = Features(np.random.default_rng(5).standard_normal((200, 100)), features.names, features.categorical)
    assert chosen(head, target, noise, train.index, patients) < 0.1 * chosen(
        head, target, features, train.index, patients
    )


def test_of_many_rows_whole_patients_are_taken(monkeypatch):
    monkeypatch.setattr(penalty, "_MOST_ROWS", 50)
    patients = np.repeat(np.arange(40), 5)
    taken = penalty._some(patients, np.arange(200), 3, np.random.default_rng(0))
    assert len(taken) == 50
    assert (np.diff(taken) > 0).all()
    assert set(np.bincount(patients[taken], minlength=40)) == {0, 5}
    assert len(penalty._some(patients, np.arange(0, 200, 4), 3, np.random.default_rng(0))) == 50


def test_folds_hold_whole_patients_of_every_stratum():
    patients = np.repeat(np.arange(50), 3)
    strata = (patients < 10).astype(int)
    fold = penalty._deal(patients, strata, np.random.default_rng(0))
    assert all(len(set(fold[patients == one])) == 1 for one in range(50))
    assert np.bincount(fold).tolist() == [30] * 5
    assert np.bincount(fold[strata == 1]).tolist() == [6] * 5


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "width"), [(105, 20_000), (300, 3_096)])
def test_thousands_of_genes_take_seconds(rows, width):
    head, target, features, train, _, _ = sample(rows, width)
    start = monotonic()
    fit_linear(head, target, features, train, np.arange(rows), 1, seed=1)
    assert monotonic() - start < 20
