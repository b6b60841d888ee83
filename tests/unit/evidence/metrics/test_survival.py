import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.evidence.metrics import survival as sv
from polyclinic.evidence.metrics.discrimination import auroc


def _follow_up(seed: int, n: int = 60):
    rng = np.random.default_rng(seed)
    event, time, risk = rng.integers(0, 2, n).astype(float), np.ceil(rng.exponential(20, n)), rng.normal(size=n)
    event[:3] = 1
    grid = np.array([3.0, 8, 15, 25])
    return event, time, risk, grid, np.exp(-np.exp(risk)[:, None] * grid / 20)


@given(st.integers(0, 10_000))
def test_resamples_are_repeated_rows(seed):
    event, time, risk, grid, curve = _follow_up(seed)
    weights = np.random.default_rng(seed).integers(0, 4, (3, len(time))).astype(float)
    brier = sv.integrated_brier_score(event, time, curve, grid, weights)
    auc = sv.auc_over_time(event, time, risk, grid, weights)
    mean = sv.mean_auc(event, time, risk, grid, weights)
    for k, drawn in enumerate(weights):
        i = np.repeat(np.arange(len(time)), drawn.astype(int))
        assert brier[k] == pytest.approx(sv.integrated_brier_score(event[i], time[i], curve[i], grid), abs=1e-12)
        np.testing.assert_allclose(auc[k], sv.auc_over_time(event[i], time[i], risk[i], grid), atol=1e-12)
        assert mean[k] == pytest.approx(sv.mean_auc(event[i], time[i], risk[i], grid), abs=1e-12)


def test_without_censoring_the_brier_score_is_the_plain_one():
    _, time, _, grid, curve = _follow_up(0)
    found = sv.brier_over_time(np.ones(len(time)), time, curve, grid)
    np.testing.assert_allclose(found, (((time[:, None] > grid) - curve) ** 2).mean(axis=0), atol=1e-12)


def test_without_censoring_the_auc_is_the_plain_one():
    _, time, risk, grid, _ = _follow_up(0)
    found = sv.auc_over_time(np.ones(len(time)), time, risk, grid)
    plain = [auroc((time <= moment).astype(float), risk) for moment in grid]
    np.testing.assert_allclose(found, plain, atol=1e-12)


def test_saying_half_always_scores_a_quarter():
    _, time, _, grid, curve = _follow_up(0)
    half = np.full_like(curve, 0.5)
    assert sv.integrated_brier_score(np.ones(len(time)), time, half, grid) == pytest.approx(0.25)


def test_moments_without_a_figure_are_left_out_of_the_mean():
    event, time, risk = np.array([1.0, 1, 1]), np.array([2.0, 3, 4]), np.array([3.0, 2, 1])
    grid = np.array([1.0, 2.5, 9])
    np.testing.assert_array_equal(np.isnan(sv.auc_over_time(event, time, risk, grid)), [True, False, True])
    assert sv.mean_auc(event, time, risk, grid) == 1


def test_curves_are_read_between_their_points():
    times, share = np.array([[10.0, 20, 20]]), np.array([[0.8, 0.4, 0.4]])
    read = sv.on_grid(times, share, np.array([0.0, 5, 10, 15, 20, 99]))
    np.testing.assert_allclose(read, [[1, 0.9, 0.8, 0.6, 0.4, 0.4]])
    np.testing.assert_allclose(sv.on_own_time(times, share, np.array([15.0])), [0.6])


def test_no_curve_no_figure():
    nothing = np.zeros((2, 0))
    assert np.isnan(sv.on_grid(nothing, nothing, np.array([1.0]))).all()
    assert np.isnan(sv.on_own_time(nothing, nothing, np.array([1.0, 2]))).all()
    figure = sv.integrated_brier_score(np.ones(2), np.array([1.0, 2]), np.full((2, 1), np.nan), np.array([1.0]))
    assert np.isnan(figure)


def test_a_grid_of_one_moment_has_no_length():
    event, time, _, _, curve = _follow_up(0)
    assert np.isnan(sv.integrated_brier_score(event, time, curve[:, :1], np.array([3.0])))
