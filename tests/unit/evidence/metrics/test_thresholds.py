import numpy as np

from polyclinic.evidence.metrics.thresholds import RULE, RULE_HALF, RULE_MIXED, ScoredSamples, choose

FOLDS = np.array([0, 1])


def _scored(probability, truth, fold):
    return ScoredSamples(np.array(probability), np.array(truth, dtype=float), np.array(fold))


def test_each_fold_has_the_threshold_of_its_own_tune_rows():
    tune = _scored([0.1, 0.3, 0.5, 0.9], [0, 1, 0, 1], [0, 0, 1, 1])
    chosen = choose(tune, FOLDS)
    assert chosen.rule == RULE
    np.testing.assert_allclose(list(chosen.by_fold.values()), [0.2, 0.7])
    np.testing.assert_array_equal(chosen.decide(np.array([0.25, 0.25, 0.7]), np.array([0, 1, 1])), [1, 0, 1])


def test_one_half_where_tune_rows_do_not_tell():
    assert choose(None, FOLDS).rule == RULE_HALF
    assert choose(_scored([0.1, 0.2], [0, 0], [0, 1]), FOLDS).rule == RULE_HALF
    mixed = choose(_scored([0.1, 0.3, 0.4], [0, 1, 1], [0, 0, 1]), FOLDS)
    assert mixed.rule == RULE_MIXED
    np.testing.assert_allclose(list(mixed.by_fold.values()), [0.2, 0.5])
