import pytest

from polyclinic.errors import StudyError
from polyclinic.study.read import parse_study
from polyclinic.study.threshold import YOUDEN, Aim, ThresholdRule, read_rule
from polyclinic.study.write import write_study

STUDY = """
[cohort]
table = "cohort.csv"
patient = "row"
[inputs.labs]
kind = "tabular"
[targets.sick]
kind = "classify"
column = "diagnosis"
[evidence]
threshold = """


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("youden", YOUDEN),
        (0.3, ThresholdRule(Aim.GIVEN, 0.3)),
        ("sensitivity:0.95", ThresholdRule(Aim.SENSITIVITY, 0.95)),
        ("specificity:0.9", ThresholdRule(Aim.SPECIFICITY, 0.9)),
    ],
)
def test_every_rule_is_read_and_written_as_it_was(written, rule):
    assert read_rule(written) == rule
    assert rule.written == written


@pytest.mark.parametrize(
    "odd",
    ['"yuden"', '"0.3"', "0", "1", "1.5", "true", '"sensitivity"', '"sensitivity:95"', '"given:0.3"', '"youden:1"'],
)
def test_what_is_no_rule_is_refused(odd):
    with pytest.raises(StudyError, match=r"\[evidence\] threshold: "):
        parse_study(STUDY + odd)


def test_a_rule_may_be_of_one_target_and_comes_back_from_the_resolved_study():
    study = parse_study(f"{STUDY}{{sick = 0.2}}")
    assert study.evidence.rule_of("sick") == ThresholdRule(Aim.GIVEN, 0.2)
    assert study.evidence.rule_of("another") == YOUDEN
    assert parse_study(write_study(study)) == study
    assert parse_study(STUDY + "0.4").evidence.rule_of("sick").level == 0.4


def test_a_target_that_is_none_is_named():
    with pytest.raises(StudyError, match=r'no target "sik"\. Did you mean "sick"'):
        parse_study(f"{STUDY}{{sik = 0.2}}")
