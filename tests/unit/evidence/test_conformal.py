import numpy as np
import pytest

from polyclinic.evidence.conformal import class_sets, half_width


def test_class_sets_keep_their_promise():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(3), 20_000)
    truth = (rng.random(20_000)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(float)
    sets = class_sets(chances[:5000], truth[:5000], chances[5000:], 0.9)
    held = sets[np.arange(15_000), truth[5000:].astype(int)].mean()
    assert held == pytest.approx(0.9, abs=0.01)
    assert sets.sum(axis=1).mean() < 3


def test_half_width_keeps_its_promise():
    rng = np.random.default_rng(0)
    value, truth = rng.normal(size=20_000), rng.normal(size=20_000)
    half = half_width(value[:5000], truth[:5000], 0.9)
    assert (np.abs(value - truth)[5000:] <= half).mean() == pytest.approx(0.9, abs=0.01)


def test_too_few_tune_rows_promise_nothing():
    assert half_width(np.zeros(5), np.ones(5), 0.95) == np.inf
    assert half_width(np.zeros(0), np.zeros(0), 0.95) == np.inf
    few = np.array([[0.9, 0.1]] * 5)
    assert class_sets(few, np.zeros(5), few, 0.95).all()


def test_nineteen_rows_are_just_enough_for_95_percent():
    truth = np.arange(1.0, 20)
    assert half_width(np.zeros(19), truth, 0.95) == 19
    assert half_width(np.zeros(18), truth[:18], 0.95) == np.inf


def test_unknown_truth_is_left_out():
    truth = np.append(np.arange(1.0, 20), [np.nan] * 30)
    assert half_width(np.zeros(49), truth, 0.9) == 18
    chances = np.full((49, 2), 0.5)
    assert class_sets(chances, np.where(np.isnan(truth), np.nan, 0), chances, 0.9).all()


def test_something_never_seen_belongs_to_no_class():
    sure = np.array([[0.99, 0.01]] * 50)
    assert not class_sets(sure, np.zeros(50), np.array([[0.5, 0.5]]), 0.9).any()
