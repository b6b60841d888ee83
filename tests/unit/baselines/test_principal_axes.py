"""A model on principal axes says what the same model on the columns says."""

import numpy as np
import pytest
from scipy import sparse

from polyclinic.baselines import principal_axes
from polyclinic.baselines.principal_axes import PrincipalAxes, turns


@pytest.fixture(params=["tall", "wide"])
def columns(request):
    rng = np.random.default_rng(0)
    size = (40, 7) if request.param == "tall" else (7, 40)
    return rng.standard_normal(size) + rng.standard_normal(size[1]) * 3


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_scores_and_weights_turn_together(columns, form):
    axes = PrincipalAxes.of(form(columns))
    weights = np.random.default_rng(1).standard_normal((axes.scores.shape[1] + 1, 2))
    back = axes.back(weights)
    assert back.shape == (columns.shape[1] + 1, 2)
    np.testing.assert_allclose(columns @ back[:-1] + back[-1], axes.scores @ weights[:-1] + weights[-1], atol=1e-9)
    # the penalty is the same: turning keeps lengths
    np.testing.assert_allclose((back[:-1] ** 2).sum(), (weights[:-1] ** 2).sum())


def test_axes_are_those_of_the_singular_values_the_longest_first(columns):
    scores = PrincipalAxes.of(columns).scores
    sizes = np.linalg.svd(columns - columns.mean(axis=0), compute_uv=False)
    products = scores.T @ scores
    np.testing.assert_allclose(np.diag(products), sizes[: len(products)] ** 2)
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-8)
    assert scores.shape[1] == min(columns.shape[0] - 1, columns.shape[1])  # centred rows lose one direction


def test_a_column_that_follows_from_another_has_no_axis():
    columns = np.random.default_rng(0).standard_normal((30, 2))
    assert PrincipalAxes.of(np.hstack([columns, 2 * columns])).scores.shape == (30, 2)


def test_columns_are_turned_where_that_is_quicker(monkeypatch):
    assert turns(np.zeros((5, 3)))
    assert not turns(np.zeros((5, 0)))
    monkeypatch.setattr(principal_axes, "_MOST_AXES", 2)
    assert not turns(np.zeros((5, 3)))
    assert turns(np.zeros((2, 300)))
    monkeypatch.setattr(principal_axes, "_MOST_CELLS", 3)
    assert not turns(np.zeros((2, 300)))
