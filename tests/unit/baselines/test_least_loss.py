"""The least loss under a penalty: that of scikit-learn, whatever the scale of the columns, sparse or not."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from polyclinic.baselines.least_loss import LinearProblem, apply
from polyclinic.cohort.rows import TrainRows
from polyclinic.heads.classify import Classify

ROWS = 120


@pytest.fixture
def yes_or_no():
    rng = np.random.default_rng(4)
    columns = rng.standard_normal((ROWS, 6)) * [1, 100, 0.01, 1, 3, 1]
    truth = (columns[:, 0] + columns[:, 1] / 100 + rng.logistic(size=ROWS) > 0).astype(int)
    kind = Classify("ill", Classify.Options(column="ill"))
    target = kind.read_target(pl.DataFrame({"ill": truth}), "cohort.csv")
    head = kind.fit(target, TrainRows(np.arange(ROWS)))
    return LinearProblem(head, columns, head.collate(target, np.arange(ROWS)), 1), truth


@pytest.mark.parametrize("inverse", [1e-4, 1.0, 100.0])
def test_columns_of_any_scale_reach_the_minimum(yes_or_no, inverse):
    problem, truth = yes_or_no
    found = problem.minimise(inverse, problem.nothing())
    theirs = LogisticRegression(C=inverse, tol=1e-10, max_iter=10_000, solver="newton-cholesky")
    theirs.fit(problem.columns, truth)
    expected = np.append(theirs.coef_[0], theirs.intercept_)
    spread = np.append(problem.columns.std(axis=0), 1.0)
    np.testing.assert_allclose(found[:, 0] * spread, expected * spread, atol=2e-3)


def test_sparse_columns_mean_the_same(yes_or_no):
    problem, _ = yes_or_no
    sparser = problem.on(sparse.csr_array(problem.columns))
    dense, found = (one.minimise(1.0, one.nothing()) for one in (problem, sparser))
    np.testing.assert_allclose(found, dense, atol=1e-6)
    assert problem.total(dense) == pytest.approx(sparser.total(found))


def test_the_total_is_that_of_all_rows(yes_or_no):
    problem, truth = yes_or_no
    weights = problem.nothing()
    assert problem.total(weights) == pytest.approx(ROWS * np.log(2))
    weights[-1] = 2.0
    assert apply(problem.columns, weights)[:, 0].tolist() == [2.0] * ROWS
    assert problem.total(weights) == pytest.approx(np.sum(np.log1p(np.exp(np.where(truth == 1, -2.0, 2.0)))))
