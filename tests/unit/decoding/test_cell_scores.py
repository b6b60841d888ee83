"""How sure it is that a cell is one."""

import numpy as np
import pytest

from polyclinic.decoding import cell_scores
from polyclinic.decoding.cell_scores import Maps


def test_features_are_those_of_each_cell():
    labels = np.array([[1, 1, 0], [0, 2, 2]])
    foreground = np.array([[0.9, 0.7, 0.0], [0.0, 0.5, 0.5]])
    found = cell_scores.features_of(labels, Maps(foreground, foreground / 2))
    assert found[:, 0].tolist() == [1, 1]
    assert found[:, 1].tolist() == pytest.approx([np.log(4), 0])
    assert found[:, 2].tolist() == [0.45, 0.25]
    assert cell_scores.features_of(np.zeros((2, 2), dtype=int), Maps(np.zeros((2, 2)), np.zeros((2, 2)))).shape == (
        0,
        3,
    )


def test_scores_are_the_chance_of_a_match():
    rng = np.random.default_rng(1)
    features = np.stack([np.ones(4000), rng.normal(size=4000), rng.random(4000)], axis=1)
    chance = 1 / (1 + np.exp(-(0.5 + 1.5 * features[:, 1])))
    weights = cell_scores.learn_scores(features, rng.random(4000) < chance)
    assert weights == pytest.approx((0.5, 1.5, 0.0), abs=0.3)
    assert np.abs(cell_scores.scores_of(features, weights) - chance).max() < 0.06


def test_when_all_match_nothing_runs_away_and_without_cells_it_is_even():
    features = np.stack([np.ones(30), np.zeros(30), np.zeros(30)], axis=1)
    score = cell_scores.scores_of(features, cell_scores.learn_scores(features, np.ones(30, dtype=bool)))
    assert 0.9 < score[0] < 1
    nothing = cell_scores.learn_scores(np.zeros((0, 3)), np.zeros(0, dtype=bool))
    assert cell_scores.scores_of(features[:1], nothing)[0] == pytest.approx(0.5)


def test_a_vote_follows_the_majority():
    seen, missed = np.zeros((20, 20), dtype=int), np.zeros((20, 20), dtype=int)
    seen[2:8, 2:8], seen[12:18, 12:18], missed[2:8, 2:8] = 1, 2, 1
    sure = (seen, np.array([0.8, 0.6]))
    both, scores = cell_scores.vote([sure, sure, (missed, np.array([0.8]))])
    assert both.max() == 2
    assert scores.tolist() == pytest.approx([0.8, 0.4])
    alone, _ = cell_scores.vote([sure, (missed, np.array([0.8])), (missed, np.array([0.8]))])
    assert alone.max() == 1
    empty = np.zeros((4, 4), dtype=int)
    assert cell_scores.vote([(empty, np.zeros(0))] * 2)[0].max() == 0
