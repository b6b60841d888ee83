import numpy as np

from polyclinic.evidence.metrics.scores import ScoreCorrection, learn_scores


def said(rng, rows=60):
    """One object per row; boxes with log-odds s are right with chance expit(s / 2 - 1)."""
    logits, truth, told = rng.normal(0, 2, rows), [], []
    for logit in logits:
        truth.append(np.array([[0, 10, 10, 20, 20]], dtype=np.float32))
        shift = 0 if rng.random() < 1 / (1 + np.exp(1 - logit / 2)) else 30
        told.append(np.array([[logit, 0, 10 + shift, 10, 20 + shift, 20]], dtype=np.float32))
    return told, truth


def test_scores_become_chances():
    told, truth = said(np.random.default_rng(0), 800)
    one, other = learn_scores(told, truth, 2, 2, "auto")
    assert abs(one.scores(np.array([2.0]))[0] - 0.5) < 0.07
    assert abs(one.scores(np.array([-2.0]))[0] - 0.12) < 0.06
    assert 0 < one.threshold < 1
    assert other.threshold == 0.5
    assert "too few" in other.note


def test_the_threshold_has_the_best_f1():
    told = [np.array([[s, 0, 10, 10, 20, 20 + 30 * miss]], dtype=np.float32) for s, miss in
            ((3, 0), (2, 0), (1, 0), (0, 1), (-1, 1))]  # fmt: skip
    truth = [np.array([[0, 10, 10, 20, 20]], dtype=np.float32)] * 5
    (one,) = learn_scores(told, truth, 1, 2, "none")
    assert one.scores(np.array([1.0]))[0] > one.threshold > one.scores(np.array([0.0]))[0]


def test_no_tune_rows():
    (one,) = learn_scores([], [], 1, 2, "auto")
    assert one.threshold == 0.5
    assert one.scores(np.zeros(0)).shape == (0,)


def test_without_correction_a_score_is_the_chance_of_the_log_odds():
    assert ScoreCorrection().scores(np.array([0.0])).tolist() == [0.5]


def test_it_survives_json():
    told, truth = said(np.random.default_rng(1), 100)
    (one,) = learn_scores(told, truth, 1, 2, "auto")
    assert ScoreCorrection.model_validate_json(one.model_dump_json()) == one
