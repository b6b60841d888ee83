"""The yes or no beside the probability: at the one threshold of the study, for the right row and the right label."""

import numpy as np
import pytest

from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.delivery.forms.base import AnswerLimits, delivery_of
from polyclinic.evidence.records import OperatingPoint
from polyclinic.study.threshold import read_rule


def two(chances: list[float], truth: list[float]) -> ClassAnswer:
    both = np.array([[1 - chance, chance] for chance in chances])
    return ClassAnswer(("benign", "malignant"), both, both, np.array(truth, dtype=float))


TUNE = two([0.1, 0.2, 0.3, 0.35, 0.8], [0, 0, 1, 1, 1])
NEW = two([0.24, 0.25, 0.6, 0.31], [np.nan] * 4)


def test_two_classes_are_decided_at_the_recorded_threshold():
    columns = delivery_of(NEW).columns(NEW, AnswerLimits(TUNE, 0.9, OperatingPoint(delivered=0.31)))
    assert columns["decision"] == ["benign", "benign", "malignant", "malignant"]
    assert columns["threshold"].tolist() == [0.31] * 4


def test_where_none_is_recorded_it_is_learned_from_the_tune_rows_by_the_rule():
    early = AnswerLimits(TUNE, 0.9)
    assert delivery_of(NEW).thresholds(NEW, early) == {"malignant": pytest.approx(0.25)}
    assert delivery_of(NEW).columns(NEW, early)["decision"] == ["benign", "malignant", "malignant", "malignant"]
    wanted = AnswerLimits(TUNE, 0.9, None, read_rule("sensitivity:0.6"))
    assert delivery_of(NEW).columns(NEW, wanted)["decision"] == ["benign", "benign", "malignant", "benign"]


def test_of_several_classes_the_most_probable_is_the_decision():
    chances = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    answer = ClassAnswer(("low", "middle", "high"), chances, chances, np.array([0.0, 2.0]))
    columns = delivery_of(answer).columns(answer, AnswerLimits(answer, 0.9))
    assert columns["decision"] == ["low", "high"]
    assert "threshold" not in columns


def test_each_label_has_a_threshold_of_its_own():
    chances = np.array([[0.2, 0.2], [0.6, 0.6], [0.9, 0.1]])
    truth = np.array([[0.0, 1.0], [1.0, 1.0], [np.nan, 0.0]])
    answer = LabelsAnswer(("fever", "cough"), chances, chances, truth)
    learned = delivery_of(answer).columns(answer, AnswerLimits(answer, 0.9))
    assert (learned["threshold_fever"][0], learned["threshold_cough"][0]) == (pytest.approx(0.4), pytest.approx(0.15))
    assert learned["decision_fever"].tolist() == [0, 1, 1]
    assert learned["decision_cough"].tolist() == [1, 1, 0]
    stated = OperatingPoint(label_delivered={"fever": 0.7, "cough": 0.55})
    told = delivery_of(answer).columns(answer, AnswerLimits(answer, 0.9, stated))
    assert told["decision_fever"].tolist() == [0, 0, 1]
    assert told["decision_cough"].tolist() == [0, 1, 0]
