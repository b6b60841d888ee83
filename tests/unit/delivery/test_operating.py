"""What report and card say of the threshold."""

import pytest

from polyclinic.delivery.operating import decision_in_words
from polyclinic.evidence.records import OperatingPoint, TargetEvidence


def said(**point) -> str:
    return decision_in_words(TargetEvidence("binary", classes=("no", "yes"), operating_point=OperatingPoint(**point)))


@pytest.mark.parametrize(
    ("chosen_for", "words"),
    [
        ("youden", "highest sensitivity + specificity (Youden)"),
        (0.25, "The study gives this threshold"),
        ("sensitivity:0.95", "sensitivity of 95% or more"),
        ("specificity:0.9", "specificity of 90% or more"),
        ("", "One half, because there were no tune rows"),
    ],
)
def test_the_rule_stands_beside_the_threshold(chosen_for, words):
    text = said(delivered=0.25, chosen_for=chosen_for, thresholds=(0.25,))
    assert "“yes” from 0.250 on" in text
    assert words in text
    assert "each fold" not in text


def test_thresholds_of_folds_are_told_apart_from_the_delivered_one():
    text = said(delivered=0.3, chosen_for="youden", thresholds=(0.4, 0.2, 0.25))
    assert "“yes” from 0.300 on" in text
    assert "each fold at the threshold of its own tune rows (0.200 to 0.400)" in text


def test_labels_have_a_threshold_each_and_other_answers_none():
    text = said(label_delivered={"fever": 0.2, "cough": 0.001}, chosen_for="youden")
    assert "“fever” from 0.200 on; “cough” from 0.001 on" in text
    assert said(thresholds=()) == ""
    assert decision_in_words(TargetEvidence("value")) == ""
