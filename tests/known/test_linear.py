"""The plain linear model against scikit-learn and lifelines."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from polyclinic.baselines.design import Design
from polyclinic.baselines.least_loss import LinearProblem
from polyclinic.baselines.linear import least_loss
from polyclinic.cohort.rows import TrainRows
from polyclinic.records.base import Features
from polyclinic.study import catalogue

ROWS = 400


def weights(head, target, features, rows):
    """Those of the least loss at scikit-learn's C = 1."""
    columns = Design.learn(features, rows).columns(features, rows.index)
    return least_loss(LinearProblem(head, columns, head.collate(target, rows.index), 1), 1.0)


@pytest.fixture
def known():
    """Features, and a head with its target driven by two of them."""

    def make(kind: str, **options):
        rng = np.random.default_rng(3)
        matrix = rng.standard_normal((ROWS, 5)) * [1, 10, 0.1, 3, 1] + [0, 50, 0, 0, 5]
        signal = 0.8 * matrix[:, 0] - 0.2 * matrix[:, 3]
        made = catalogue.find("heads", kind)
        frame, keys = made.example(rng, signal, "outcome")
        head = made("outcome", made.Options(**{**keys, **options}))
        target = head.read_target(frame, "table")
        rows = TrainRows(np.arange(ROWS))
        features = Features(matrix, tuple("abcde"), (False,) * 5)
        return head.fit(target, rows), target, features, rows, frame

    return make


def test_logistic_regression_is_scikit_learns(known):
    head, target, features, rows, _ = known("classify")
    ours = weights(head, target, features, rows)[:, 0]
    scaled = StandardScaler().fit_transform(features.matrix)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(scaled, target.truth)
    assert ours[:-1] == pytest.approx(theirs.coef_[0], abs=2e-3)
    assert ours[-1] == pytest.approx(theirs.intercept_[0], abs=2e-3)


def test_ridge_regression_is_scikit_learns(known):
    head, target, features, rows, _ = known("regress")
    ours = weights(head, target, features, rows)[:, 0]
    scaled = StandardScaler().fit_transform(features.matrix)
    theirs = Ridge(alpha=1.0).fit(scaled, (target.truth - target.truth.mean()) / target.truth.std())
    assert ours[:-1] == pytest.approx(theirs.coef_, abs=1e-3)


def test_cox_regression_is_that_of_lifelines(known):
    head, target, features, rows, _ = known("survive", method="cox")
    ours = weights(head, target, features, rows)[:-1, 0]
    frame = pd.DataFrame(StandardScaler().fit_transform(features.matrix), columns=list(features.names))
    frame["time"], frame["event"] = target.time, target.event
    # lifelines takes the mean log likelihood over rows and half the penalty, as we do.
    theirs = CoxPHFitter(penalizer=1.0 / ROWS, l1_ratio=0.0).fit(frame, "time", "event")
    assert ours == pytest.approx(theirs.params_.to_numpy(), abs=2e-3)
