import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index as lifelines_concordance

from polyclinic.evidence.metrics import concordance
from polyclinic.evidence.metrics.concordance import concordance_index, uno_concordance


def _follow_up(seed: int, n: int = 60, tied: bool = True):
    rng = np.random.default_rng(seed)
    event, time, risk = rng.integers(0, 2, n).astype(float), rng.exponential(20, n) + 0.01, rng.normal(size=n)
    event[:2], time[:2] = 1, (0.005, 0.007)
    return (event, np.ceil(time), np.round(risk, 1)) if tied else (event, time, risk)


def _pair_by_pair(event, time, risk, weights):
    agreed = counted = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                counted += weights[i] * weights[j]
                agreed += weights[i] * weights[j] * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return agreed / counted


@given(st.integers(0, 10_000), st.booleans())
def test_as_lifelines_has_it(seed, tied):
    event, time, risk = _follow_up(seed, tied=tied)
    assert concordance_index(event, time, risk) == pytest.approx(lifelines_concordance(time, -risk, event), abs=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=40)
def test_halving_runs_gives_what_comparing_every_pair_gives(seed, leaf):
    event, time, risk = _follow_up(seed)
    weights = np.random.default_rng(seed).integers(0, 4, (2, len(time))).astype(float)
    weights[:, :2] += 1
    kept = concordance.LEAF
    concordance.LEAF = leaf
    try:
        found = concordance_index(event, time, risk, weights)
    finally:
        concordance.LEAF = kept
    np.testing.assert_allclose(found, [_pair_by_pair(event, time, risk, w) for w in weights], atol=1e-12)


@given(st.integers(0, 10_000))
def test_a_monotone_change_of_the_risk_changes_nothing(seed):
    event, time, risk = _follow_up(seed)
    for change in (np.exp, lambda x: 2 * x - 1):
        assert concordance_index(event, time, change(risk)) == concordance_index(event, time, risk)
        assert uno_concordance(event, time, change(risk)) == uno_concordance(event, time, risk)


def test_perfect_reversed_and_constant_risks():
    event, time = np.array([1.0, 1, 0, 1]), np.array([1.0, 2, 3, 4])
    for figure in (concordance_index, uno_concordance):
        assert figure(event, time, -time) == 1
        assert figure(event, time, time) == 0
        assert figure(event, time, np.zeros(4)) == 0.5


def test_no_pair_no_figure():
    time = np.array([1.0, 2, 3])
    assert np.isnan(concordance_index(np.zeros(3), time, time))
    assert np.isnan(concordance_index(np.ones(3), np.ones(3), time))  # all events at the same time
    found = concordance_index(np.array([0.0, 1, 0]), time, -time, np.array([[1.0, 1, 1], [2, 0, 1], [0, 3, 0]]))
    assert found[0] == 1
    assert np.isnan(found[1:]).all()


def test_without_censoring_uno_is_harrell():
    _, time, risk = _follow_up(1, tied=False)
    event = np.ones(len(time))
    assert uno_concordance(event, time, risk) == pytest.approx(concordance_index(event, time, risk))
