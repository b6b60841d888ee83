import numpy as np
import pytest

from polyclinic.evidence.metrics.operating_point import sensitivity, specificity, youden_threshold
from polyclinic.evidence.metrics.thresholds import RULE, RULE_GIVEN, RULE_HALF, RULE_MIXED, ScoredSamples, choose
from polyclinic.study.threshold import read_rule

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


def test_the_delivered_threshold_comes_from_the_tune_rows_of_all_folds():
    tune = _scored([0.1, 0.3, 0.6, 0.65, 0.35, 0.4, 0.9], [0, 1, 1, 1, 0, 0, 1], [0, 0, 0, 0, 1, 1, 1])
    chosen = choose(tune, FOLDS)
    np.testing.assert_allclose(list(chosen.by_fold.values()), [0.2, 0.65])
    assert chosen.delivered == youden_threshold(tune.truth, tune.probability) == 0.5
    assert chosen.chosen_for == "youden"
    assert choose(None, FOLDS).delivered == choose(_scored([0.1, 0.2], [0, 0], [0, 1]), FOLDS).delivered == 0.5
    assert choose(None, FOLDS).chosen_for == ""


def test_a_given_threshold_is_taken_with_tune_rows_and_without():
    tune = _scored([0.1, 0.3, 0.5, 0.9], [0, 1, 0, 1], [0, 0, 1, 1])
    for rows in (tune, None):
        chosen = choose(rows, FOLDS, read_rule(0.3))
        assert (chosen.by_fold, chosen.delivered, chosen.rule) == ({0: 0.3, 1: 0.3}, 0.3, RULE_GIVEN)
    assert chosen.decide(np.array([0.29, 0.3]), np.array([0, 0])).tolist() == [0, 1]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("aim", ["sensitivity", "specificity"])
def test_the_least_that_is_wanted_is_reached_and_no_more_is_given_away(aim, level):
    rng = np.random.default_rng(3)
    truth = (rng.random(300) < 0.3).astype(float)
    probability = np.clip(0.2 + 0.4 * truth + rng.normal(0, 0.2, 300), 0.001, 0.999).round(2)
    chosen = choose(ScoredSamples(probability, truth, np.zeros(300, dtype=int)), FOLDS[:1], read_rule(f"{aim}:{level}"))
    metric = {"sensitivity": sensitivity, "specificity": specificity}[aim]
    assert metric(truth, (probability >= chosen.delivered).astype(float)) >= level
    values = np.unique(probability)
    place = np.searchsorted(values, chosen.delivered)
    beyond = values[place] + 1e-6 if aim == "sensitivity" else values[place - 1]
    assert metric(truth, (probability >= beyond).astype(float)) < level
    assert str(level) in chosen.rule


def test_a_specificity_that_only_silence_reaches_lies_above_all_scores():
    tune = _scored([0.2, 0.4, 0.9], [0, 1, 0], [0, 0, 0])
    assert choose(tune, FOLDS[:1], read_rule("specificity:0.9")).delivered == pytest.approx(0.95)
    sure = _scored([0.2, 0.4, 1.0], [0, 1, 0], [0, 0, 0])
    assert choose(sure, FOLDS[:1], read_rule("specificity:0.9")).by_fold[0] > 1
