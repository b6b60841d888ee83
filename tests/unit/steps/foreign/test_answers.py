"""In which form the columns of another program's table are answers, and how far these can be judged."""

import numpy as np
import pytest

from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import EvidenceError, Severity
from polyclinic.evidence.judge import judge
from polyclinic.evidence.limited import limit
from polyclinic.steps.foreign.column_names import Said
from polyclinic.steps.foreign.load import load_foreign as load_with_findings
from polyclinic.study.schema import EvidenceSection

QUICK = EvidenceSection(resamples=10)


def load_foreign(path, **said):
    return load_with_findings(path, Said(**said)).predictions


def test_a_class_called_na_keeps_its_rows(write):
    header = "truth,probability_NA,probability_None,probability_nan\n"
    rows = "NA,0.6,0.2,0.2\nNone,0.1,0.8,0.1\nnan,0.1,0.1,0.8\n,0.2,0.2,0.6\n"
    answer = load_foreign(write(header + rows)).answers["answer"]
    assert answer.classes == ("NA", "None", "nan")
    np.testing.assert_array_equal(answer.truth, [0, 1, 2, np.nan])


@pytest.mark.parametrize("row", ["0.33,0.33,0.33", "0.333,0.333,0.333", "0.3337,0.3337,0.3337"])
def test_rounded_chances_still_sum_to_1(write, row):
    chances = load_foreign(write(f"truth,prob_a,prob_b,prob_c\na,{row}\n")).answers["answer"].probabilities
    np.testing.assert_allclose(chances, 1 / 3)


@pytest.mark.parametrize("row", ["0.33,0.33,0.31", "0.333,0.333,0.331", "0.3333,0.3333,0.3313"])
def test_more_than_rounding_is_refused(write, row):
    with pytest.raises(EvidenceError, match="must sum to 1"):
        load_foreign(write(f"truth,prob_a,prob_b,prob_c\na,{row}\n"))


def test_na_beside_two_classes_is_not_known_and_told(write):
    found = load_with_findings(write("truth,probability\n0,0.1\n1,0.8\nNA,0.5\n"))
    np.testing.assert_array_equal(found.predictions.answers["answer"].truth, [0, 1, np.nan])
    [finding] = [finding for finding in found.findings if finding.name == "truth_not_known"]
    assert "1 row" in finding.found


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (("yes", "no"), ("no", "yes")),
        (("Yes", "No"), ("No", "Yes")),
        (("true", "false"), ("false", "true")),
        (("TRUE", "FALSE"), ("false", "true")),
        (("positive", "negative"), ("negative", "positive")),
        (("1", "-1"), ("-1", "1")),
        (("1.0", "0.0"), ("0", "1")),
        (("ja", "nein"), ("nein", "ja")),
        (("present", "absent"), ("absent", "present")),
        (("dead", "alive"), ("alive", "dead")),
        (("malignant", "benign"), ("benign", "malignant")),
    ],
)
def test_the_positive_class_is_known_by_its_word(write, words, classes):
    ill, well = words
    answer = load_foreign(write(f"truth,probability\n{ill},0.9\n{well},0.2\n")).answers["answer"]
    assert answer.classes == classes
    assert answer.truth.tolist() == [1, 0]


def test_the_user_may_say_which_class_is_meant(write):
    path = write("truth,probability\nred,0.9\nblue,0.2\n")
    answer = load_foreign(path, positive="blue").answers["answer"]
    assert answer.classes == ("red", "blue")
    with pytest.raises(EvidenceError, match="none is called as --positive says"):
        load_foreign(path, positive="green")


def test_of_two_classes_the_positive_one_stands_last_whatever_the_columns(write):
    text = "truth,probability_yes,probability_no\nyes,0.9,0.1\nno,0.2,0.8\n"
    answer = load_foreign(write(text)).answers["answer"]
    assert answer.classes == ("no", "yes")
    assert answer.truth.tolist() == [1, 0]
    np.testing.assert_allclose(answer.probabilities[:, 1], [0.9, 0.2])


def test_the_chance_of_one_of_two_classes_is_enough(write):
    answer = load_foreign(write("y_true,proba_1\n1,0.9\n0,0.2\n")).answers["answer"]
    assert answer.classes == ("0", "1")
    answer = load_foreign(write("label,prob_AD\nAD,0.9\nHC,0.2\n")).answers["answer"]
    assert answer.classes == ("HC", "AD")
    assert answer.truth.tolist() == [1, 0]


def test_scores_that_are_no_probabilities_are_ranked_and_nothing_else(write):
    found = load_with_findings(write("y_true,y_score\n0,-3\n1,2.5\n1,140\n0,2.5\n"))
    [finding] = [finding for finding in found.findings if finding.name == "no_probabilities"]
    assert finding.severity is Severity.WARNING
    assert set(found.limits) == {"answer"}
    target = limit(judge(found.predictions, [], QUICK, seed=1), found.limits).targets["answer"]
    assert set(target.metrics) == {"auroc", "auprc"}
    assert target.metrics["auroc"].value == pytest.approx(0.875)
    assert target.calibration.curve == ()


def test_scores_between_0_and_1_are_taken_as_probabilities_and_told(write):
    found = load_with_findings(write("y_true,y_score\n0,0.3\n1,0.8\n"))
    assert "taken_as_probabilities" in {finding.name for finding in found.findings}
    assert not found.limits
    np.testing.assert_allclose(found.predictions.answers["answer"].probabilities[:, 1], [0.3, 0.8])


def test_decisions_without_a_chance_are_counted_only(write):
    text = "y_true,y_pred,part\nyes,yes,test\nno,no,test\nyes,no,test\nno,no,tune\n"
    found = load_with_findings(write(text))
    assert "decisions_only" in {finding.name for finding in found.findings}
    target = limit(judge(found.predictions, [], QUICK, seed=1), found.limits).targets["answer"]
    assert target.metrics["sensitivity"].value == 0.5
    assert target.metrics["specificity"].value == 1
    assert "auroc" not in target.metrics
    assert target.confusion == ((1, 0), (1, 1))


def test_predicted_numbers_are_numbers_and_predicted_grades_of_words_are_classes(write):
    found = load_foreign(write("obs,pred\n5.5,6\n4,4\n3,3.5\n")).answers["answer"]
    assert isinstance(found, ValueAnswer)
    assert found.truth.tolist() == [5.5, 4, 3]
    found = load_foreign(write("truth,prediction\nmild,mild\nsevere,mild\nnone,none\n")).answers["answer"]
    assert found.classes == ("mild", "none", "severe")
    assert found.probabilities.argmax(axis=1).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "header",
    [
        "duration,event_observed,partial_hazard",
        "time,status,risk_score",
        "os_time,os_event,score",
        "Time (days),event,prediction",
    ],
)
def test_names_of_survival_programs(write, header):
    columns = dict(zip(header.split(","), ("5,9,12", "1,0,1", "0.7,-1,-2"), strict=True))
    rows = zip(*(cells.split(",") for cells in columns.values()), strict=True)
    found = load_foreign(write(header + "\n" + "\n".join(",".join(row) for row in rows) + "\n"))
    answer = found.answers["answer"]
    assert isinstance(answer, SurvivalAnswer)
    assert answer.event.tolist() == [1, 0, 1]
    assert answer.risk.tolist() == [0.7, -1, -2]


def test_events_in_words(write):
    answer = load_foreign(write("event,time,risk\nyes,5,1\nno,6,2\ndead,7,3\n1:DECEASED,8,4\nNA,9,5\n")).answers[
        "answer"
    ]
    np.testing.assert_array_equal(answer.event, [1, 0, 1, 1, np.nan])
