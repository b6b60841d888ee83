import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from polyclinic.evidence.metrics import calibration as cal


def _outcomes(seed: int, n: int = 200, slope: float = 1.0, offset: float = 0.0):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(size=n) * 1.5
    truth = (rng.random(n) < expit(slope * log_odds + offset)).astype(float)
    return truth, expit(log_odds)


@given(st.integers(0, 10_000))
def test_brier_and_log_loss_as_scikit_learn_has_them(seed):
    truth, chance = _outcomes(seed)
    assert cal.brier_score(truth, chance) == pytest.approx(metrics.brier_score_loss(truth, chance), abs=1e-12)
    assert cal.log_loss(truth, chance) == pytest.approx(metrics.log_loss(truth, chance, labels=[0, 1]), abs=1e-12)


def test_being_sure_and_wrong_costs_much_but_not_infinitely():
    assert 30 < cal.log_loss(np.array([1.0]), np.array([0.0])) < 40
    assert cal.log_loss(np.array([1.0]), np.array([1.0])) == 0


@pytest.mark.parametrize("seed", range(5))
def test_slope_is_that_of_a_logistic_regression(seed):
    truth, chance = _outcomes(seed, slope=0.6, offset=0.4)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(chance)[:, None], truth)
    assert cal.calibration_slope(truth, chance) == pytest.approx(theirs.coef_[0, 0], abs=1e-5)


def test_slope_and_intercept_of_a_large_sound_sample_are_right():
    truth, chance = _outcomes(0, n=100_000)
    assert cal.calibration_slope(truth, chance) == pytest.approx(1, abs=0.03)
    assert cal.calibration_intercept(truth, chance) == pytest.approx(0, abs=0.03)


def test_intercept_says_which_way_risks_are_off():
    truth, chance = _outcomes(0, n=20_000, offset=-0.7)
    found = cal.calibration_intercept(truth, chance)
    assert found == pytest.approx(-0.7, abs=0.06)
    shifted = expit(logit(chance) + found)
    assert shifted.mean() == pytest.approx(truth.mean(), abs=1e-9)  # what makes it the maximum of the likelihood


def test_slopes_of_resamples_are_those_of_repeated_rows():
    truth, chance = _outcomes(4, n=80)
    weights = np.random.default_rng(0).integers(0, 4, (20, 80)).astype(float)
    slopes = cal.calibration_slope(truth, chance, weights)
    offsets = cal.calibration_intercept(truth, chance, weights)
    for drawn, slope, offset in zip(weights, slopes, offsets, strict=True):
        again = np.repeat(np.arange(80), drawn.astype(int))
        assert slope == pytest.approx(cal.calibration_slope(truth[again], chance[again]), rel=1e-7)
        assert offset == pytest.approx(cal.calibration_intercept(truth[again], chance[again]), abs=1e-8)


def test_no_slope_where_none_can_be_had():
    truth = np.array([0.0, 0, 0, 1, 1, 1])
    assert np.isnan(cal.calibration_slope(truth, np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])))  # separated
    assert np.isnan(cal.calibration_slope(truth, np.full(6, 0.4)))
    assert np.isnan(cal.calibration_slope(np.zeros(6), np.linspace(0.1, 0.6, 6)))
    assert np.isnan(cal.calibration_intercept(np.zeros(6), np.linspace(0.1, 0.6, 6)))


def test_a_separated_resample_spoils_no_other():
    truth, chance = np.array([0.0, 0, 1, 0, 1, 1]), np.linspace(0.1, 0.8, 6)
    found = cal.calibration_slope(truth, chance, np.array([[1.0] * 6, [1, 1, 0, 1, 1, 1]]))
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_chances_of_zero_and_one_do_not_break_the_slope():
    truth, chance = _outcomes(1)
    chance[:3], truth[:3] = (0, 1, 0), (0, 1, 1)
    assert np.isfinite(cal.calibration_slope(truth, chance))


def test_calibration_error_by_hand():
    chance = np.array([0.01, 0.02, 0.95, 0.99])
    truth = np.array([0.0, 1, 1, 1])
    by_hand = (abs(0.03 - 1) + abs(1.94 - 2)) / 4
    assert cal.expected_calibration_error(truth, chance) == pytest.approx(by_hand)


def test_calibration_error_puts_the_edges_in_a_bin():
    assert cal.expected_calibration_error(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0


def test_curve_groups_are_equal_and_keep_ties_together():
    truth, chance = _outcomes(2, n=1000)
    curve = cal.calibration_curve(truth, chance, 0.95)
    assert [point.n for point in curve] == [100] * 10
    assert all(point.low <= point.observed <= point.high for point in curve)
    tied = cal.calibration_curve(truth, np.where(chance < 0.5, 0.2, chance), 0.95)
    assert tied[0].n == int((chance < 0.5).sum())
    assert sum(point.n for point in tied) == 1000


def test_one_constant_chance_makes_one_group():
    [point] = cal.calibration_curve(np.array([0.0, 1, 1, 0]), np.full(4, 0.3), 0.95)
    assert (point.predicted, point.observed, point.n) == (pytest.approx(0.3), 0.5, 4)


@pytest.mark.parametrize(("events", "n"), [(0, 10), (3, 10), (10, 10), (1, 1000)])
def test_wilson_interval_as_scipy_has_it(events, n):
    theirs = binomtest(events, n).proportion_ci(0.9, method="wilson")
    assert cal.wilson_interval(float(events), n, 0.9) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("scale", [0.05, 5.0, 12.0])
def test_slope_and_intercept_of_predictions_that_are_far_off(scale):
    """Where a bare Newton step overshoots, and goes back and forth for ever."""
    truth, chance = _outcomes(7, n=300)
    wild = expit(logit(chance) * scale + 6)
    slope = cal.calibration_slope(truth, wild)
    assert slope == pytest.approx(cal.calibration_slope(truth, chance) / scale, rel=1e-2)  # chances next to 1 are moved
    offset = cal.calibration_intercept(truth, wild)
    assert expit(logit(np.clip(wild, cal.NEVER, 1 - cal.NEVER)) + offset).mean() == pytest.approx(truth.mean())


def test_intercept_of_answers_that_are_all_sure():
    truth = np.array([0.0, 0, 0, 1, 1, 1])
    assert cal.calibration_intercept(truth, np.zeros(6)) == pytest.approx(-logit(cal.NEVER))
