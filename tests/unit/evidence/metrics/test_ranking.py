import numpy as np

from polyclinic.evidence.metrics.ranking import area, rank


def test_equal_scores_form_one_group():
    ranking = rank(np.array([3.0, 1, 3, 2]))
    np.testing.assert_array_equal(ranking.order, [1, 3, 0, 2])
    np.testing.assert_array_equal(ranking.starts, [0, 1, 2])
    np.testing.assert_array_equal(ranking.total(np.array([[1.0, 2, 4, 8]])), [[2, 8, 5]])
    np.testing.assert_array_equal(ranking.spread(np.array([[10.0, 20, 30]])), [[30, 10, 30, 20]])


def test_nobody_has_no_rank():
    assert len(rank(np.zeros(0)).starts) == 0
    assert np.isnan(area(np.zeros((2, 0)), np.zeros((2, 0)))).all()
