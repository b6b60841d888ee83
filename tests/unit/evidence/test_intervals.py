import numpy as np
import pytest

from polyclinic.evidence.intervals import Sampled, difference, draw, estimate, limits, pick


def _sampled(value, resampled):
    return Sampled(np.array(value), np.array(resampled, dtype=float), 7)


def test_as_many_patients_are_drawn_as_there_are():
    counts = draw(50, 200, seed=1)
    assert counts.shape == (200, 50)
    assert (counts.sum(axis=1) == 50).all()
    assert counts.mean() == 1
    assert counts.std() == pytest.approx(1, abs=0.05)


def test_the_same_seed_draws_the_same_and_another_does_not():
    np.testing.assert_array_equal(draw(30, 20, seed=4), draw(30, 20, seed=4))
    assert (draw(30, 20, seed=4) != draw(30, 20, seed=5)).any()
    np.testing.assert_array_equal(draw(30, 5, seed=4), draw(30, 20, seed=4)[:5])


def test_interval_is_made_of_percentiles():
    found = estimate(_sampled(0.5, np.arange(101) / 100), 0.9)
    assert (found.value, found.low, found.high, found.n) == (0.5, pytest.approx(0.05), pytest.approx(0.95), 7)


def test_degenerate_resamples_are_left_out_and_counted():
    sampled = _sampled(0.5, [np.nan, 0.4, 0.6, np.nan])
    found = estimate(sampled, 0.9)
    assert (found.low, found.high) == (pytest.approx(0.41), pytest.approx(0.59))
    assert sampled.degenerate == 2


@pytest.mark.parametrize("resampled", [[], [np.nan, np.nan]])
def test_no_interval_without_resamples_that_can_be_judged(resampled):
    found = estimate(_sampled(0.5, resampled), 0.95)
    assert (found.value, found.low, found.high) == (0.5, None, None)


def test_difference_is_paired():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=500)
    ours, theirs = _sampled(0.6, 0.6 + shared), _sampled(0.5, 0.5 + shared)
    found = difference(ours, theirs, 0.95)
    assert (found.value, found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1))


def test_a_curve_has_limits_at_each_point():
    low, high = limits(np.array([[0.0, 5, np.nan]] * 3 + [[1.0, 5, np.nan]]), 0.9)
    assert low[1] == high[1] == 5
    assert low[0] < high[0]
    assert np.isnan(low[2])


def test_picking_one_class():
    one = pick(Sampled(np.array([1.0, 2]), np.array([[3.0, 4], [5, 6]]), 9), 1)
    assert (float(one.value), one.resampled.tolist(), one.n) == (2, [4, 6], 9)


def test_interval_of_a_mean_is_that_of_theory():
    """Coverage of the patient bootstrap: about 95 of 100 intervals of a mean hold the true mean."""
    rng = np.random.default_rng(3)
    counts = draw(60, 300, seed=2).astype(float) / 60
    held = 0
    for _ in range(300):
        values = rng.normal(size=60)
        low, high = limits(counts @ values, 0.95)
        held += bool(low <= 0 <= high)
    assert 0.9 <= held / 300 <= 0.98
