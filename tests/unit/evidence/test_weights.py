"""What every metric of every form must keep: a weight is a number of copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.evidence.aligned import Judgeable
from polyclinic.evidence.weights import closed, mean_of, opened, ratio


@pytest.fixture(scope="session")
def cases(make):
    """Case and metrics of each form."""
    found = {}
    for word in ("binary", "multiclass", "multilabel", "value", "survival"):
        model = Judgeable(make(word, n=90, folds=1, repeats=1)[0], "outcome")
        found[word] = (model.form.case(model.test, model.tune), model.form.metrics)
    return found


def test_all_ones_is_no_weights(cases, form):
    case, metrics = cases[form]
    ones = np.ones((2, len(case.truth if form != "survival" else case.time)))
    for metric in metrics:
        np.testing.assert_allclose(metric.function(case, ones), metric.function(case, None), err_msg=metric.name)


@given(seed=st.integers(0, 10_000))
def test_a_weight_is_a_number_of_copies(cases, form, seed):
    case, metrics = cases[form]
    size = len(case.truth if form != "survival" else case.time)
    weights = np.random.default_rng(seed).integers(0, 4, (2, size)).astype(float)
    for metric in metrics:
        found = metric.function(case, weights)
        for figure, drawn in zip(found, weights, strict=True):
            repeated = case.take(np.repeat(np.arange(size), drawn.astype(int)))
            expected = metric.function(repeated, None)
            if form == "survival":  # a repeated cohort has a grid of its own; the figure keeps the fold's
                assert repeated.moments == case.moments
            np.testing.assert_allclose(figure, expected, rtol=1e-6, atol=1e-9, err_msg=metric.name)


def test_one_figure_or_one_for_each_resample():
    figures = np.array([0.5, 0.6])
    assert closed(figures[:1], None) == 0.5
    assert isinstance(closed(figures[:1], None), float)
    np.testing.assert_array_equal(closed(figures[:1, None], None), [0.5])
    assert closed(figures, np.ones((2, 3))) is figures
    assert opened(None, 3).shape == (1, 3)


def test_part_of_nothing_is_not_known():
    found = ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert np.isnan(mean_of(np.ones(2), np.zeros((1, 2)))[0])
