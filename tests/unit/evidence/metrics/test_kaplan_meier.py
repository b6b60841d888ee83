import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times

from polyclinic.evidence.metrics.kaplan_meier import (
    event_free,
    kaplan_meier,
    log_rank,
    median_follow_up,
    still_observed,
)


def _follow_up(seed: int, n: int = 80):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, n).astype(float), np.ceil(rng.exponential(20, n))


@given(st.integers(0, 10_000))
def test_as_lifelines_has_it(seed):
    event, time = _follow_up(seed)
    event[0] = 1
    theirs = KaplanMeierFitter(alpha=0.1).fit(time, event)
    ours = kaplan_meier(event, time, 0.9)
    np.testing.assert_allclose(ours.survival, theirs.predict(ours.times).to_numpy(), atol=1e-12)
    limits = theirs.confidence_interval_.loc[ours.times].to_numpy()
    inside = (ours.survival > 0) & (ours.survival < 1)
    np.testing.assert_allclose(ours.low[inside], limits[inside, 0], atol=1e-9)
    np.testing.assert_allclose(ours.high[inside], limits[inside, 1], atol=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_log_rank_as_lifelines_has_it(seed, groups):
    event, time = _follow_up(seed)
    group = np.random.default_rng(seed).integers(0, groups, len(time)).astype(float)
    group[:groups], event[:groups] = np.arange(groups), 1
    theirs = multivariate_logrank_test(time, group, event)
    ours = log_rank(event, time, group)
    assert ours.chi_squared == pytest.approx(theirs.test_statistic, rel=1e-8, abs=1e-8)
    assert ours.p_value == pytest.approx(theirs.p_value, abs=1e-8)


def test_log_rank_of_one_group_or_without_events_says_nothing():
    event, time = _follow_up(0)
    assert log_rank(event, time, np.zeros(len(time))).p_value is None
    assert log_rank(np.zeros(len(time)), time, np.arange(len(time)) % 2.0).p_value is None


def test_events_come_before_censorings_at_the_same_time():
    event, time = np.array([1.0, 0, 1, 0]), np.array([1.0, 1, 2, 3])
    free, observed = event_free(event, time), still_observed(event, time)
    np.testing.assert_allclose(free.at(np.array([0.5, 1, 1.5, 2, 9])), [[1, 0.75, 0.75, 0.375, 0.375]])
    np.testing.assert_allclose(free.before(np.array([1.0, 2])), [[1, 0.75]])
    # at time 1 three of the four are still at risk of being censored: the event is already gone
    np.testing.assert_allclose(observed.at(np.array([1.0, 2, 3])), [[2 / 3, 2 / 3, 0]])


def test_resamples_are_repeated_rows():
    event, time = _follow_up(3)
    weights = np.random.default_rng(3).integers(0, 3, (4, len(time))).astype(float)
    moments = np.arange(0.0, 60, 7)
    for function in (event_free, still_observed):
        found = function(event, time, weights).at(moments)
        for drawn, line in zip(weights, found, strict=True):
            again = np.repeat(np.arange(len(time)), drawn.astype(int))
            np.testing.assert_allclose(line, function(event[again], time[again]).at(moments)[0], atol=1e-12)


@given(st.integers(0, 10_000))
def test_median_follow_up_as_lifelines_has_it_with_events_and_censorings_changed_over(seed):
    rng = np.random.default_rng(seed)
    event, time = rng.integers(0, 2, 60).astype(float), rng.exponential(20, 60)  # no two at the same time
    theirs = KaplanMeierFitter(alpha=0.1).fit(time, 1 - event)
    ours = median_follow_up(event, time, 0.9)
    limits = median_survival_times(theirs.confidence_interval_).to_numpy().ravel()
    for mine, other in zip((ours.value, ours.low, ours.high), (theirs.median_survival_time_, *limits), strict=True):
        assert mine == pytest.approx(other) if np.isfinite(other) else mine is None
    assert ours.n == 60


def test_of_equal_times_events_come_before_censorings():
    # At time 3 one has the event and one leaves: of the two at risk of leaving (3 and 5), one leaves, and half stay.
    assert median_follow_up(np.array([1.0, 0.0, 0.0]), np.array([3.0, 3.0, 5.0]), 0.95).value == 3.0


def test_the_follow_up_of_whom_nobody_leaves_is_not_known():
    assert median_follow_up(np.ones(5), np.arange(1.0, 6.0), 0.95).value is None
