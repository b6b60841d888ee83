import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress, spearmanr
from sklearn import metrics

from polyclinic.evidence.metrics import regression as reg


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_as_scikit_learn_and_scipy_have_it(seed, decimals):
    rng = np.random.default_rng(seed)
    truth = np.round(100 + rng.normal(size=40), decimals)
    value = np.round(truth + rng.normal(size=40), decimals)
    assert reg.rmse(truth, value) == pytest.approx(metrics.root_mean_squared_error(truth, value))
    assert reg.mae(truth, value) == pytest.approx(metrics.mean_absolute_error(truth, value))
    assert reg.r2(truth, value) == pytest.approx(metrics.r2_score(truth, value), abs=1e-9)
    assert reg.spearman(truth, value) == pytest.approx(spearmanr(truth, value).statistic, abs=1e-9)
    assert reg.calibration_slope(truth, value) == pytest.approx(linregress(value, truth).slope, abs=1e-9)
    assert reg.calibration_intercept(truth, value) == pytest.approx((truth - value).mean(), abs=1e-9)


def test_perfect_and_constant_predictions():
    truth = np.array([1.0, 2, 4])
    assert (reg.rmse(truth, truth), reg.mae(truth, truth), reg.r2(truth, truth)) == (0, 0, 1)
    assert reg.spearman(truth, truth**3) == pytest.approx(1)
    middle = np.full(3, truth.mean())
    assert reg.r2(truth, middle) == pytest.approx(0)
    assert np.isnan(reg.spearman(truth, middle))
    assert np.isnan(reg.calibration_slope(truth, middle))
    assert np.isnan(reg.r2(np.full(3, 0.1), truth))


def test_a_resample_of_one_row_has_no_spread():
    truth, value = np.array([0.1, 0.7, 0.3]), np.array([0.2, 0.6, 0.4])
    weights = np.array([[0.0, 3, 0], [1, 1, 1]])
    for figure in (reg.r2, reg.spearman, reg.calibration_slope):
        found = figure(truth, value, weights)
        assert np.isnan(found[0])
        assert found[1] == pytest.approx(figure(truth, value))


def test_curve_has_limits_where_it_can():
    truth, value = np.arange(30.0), np.arange(30.0) + 1
    curve = reg.calibration_curve(truth, value, 1.96)
    assert sum(point.n for point in curve) == 30
    assert all(point.low < point.observed < point.high for point in curve)
    assert reg.calibration_curve(np.array([1.0]), np.array([2.0]), 1.96)[0].low is None


def test_half_and_nine_of_ten_stay_within_the_quantiles_of_the_distance():
    truth, value = np.zeros(10), np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9, -10])
    assert reg.within(truth, value) == 5.0
    assert reg.within(truth, value, share=0.9) == 9.0


def test_a_drawn_row_counts_as_often_as_it_was_drawn():
    truth, value = np.zeros(3), np.array([1.0, 2.0, 3.0])
    weights = np.array([[0.0, 1, 4], [5, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(reg.within(truth, value, weights), [3.0, 1.0, np.nan])
