import pytest

from polyclinic.errors import Severity
from polyclinic.steps.foreign.column_names import Role, Said, find_roles, unused

NOTHING = Said()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["y_true", "y_score"], {Role.TRUTH: "y_true", Role.SCORE: "y_score"}),
        (["yTrue", "yProb"], {Role.TRUTH: "yTrue", Role.CHANCE: "yProb"}),
        (["Ground Truth", "Predicted Probability"], {Role.TRUTH: "Ground Truth", Role.CHANCE: "Predicted Probability"}),
        (["obs", "pred"], {Role.TRUTH: "obs", Role.PREDICTED: "pred"}),
        (["target", "prob"], {Role.TRUTH: "target", Role.CHANCE: "prob"}),
        (["truth", "label", "probability"], {Role.TRUTH: "truth", Role.CHANCE: "probability"}),
        (["target", "truth", "value"], {Role.TRUTH: "truth", Role.VALUE: "value", Role.QUESTION: "target"}),
        (["duration", "event_observed", "partial_hazard"], {Role.TIME: "duration", Role.EVENT: "event_observed"}),
        (["status", "score"], {Role.TRUTH: "status", Role.SCORE: "score"}),
        (["outcome", "proba", "Patient No."], {Role.PATIENT: "Patient No."}),
        (["outcome", "proba", "MRN"], {Role.PATIENT: "MRN"}),
        (["outcome", "proba", "number"], {}),
    ],
)
def test_columns_are_known_by_many_names(columns, expected):
    found = find_roles(columns, NOTHING, "t.csv")
    assert found.findings == ()
    assert {role: column for role, column in found.of.items() if role in expected} == expected
    assert (Role.PATIENT in found.of) == (Role.PATIENT in expected)


def test_chances_of_classes_keep_the_name_of_the_class():
    found = find_roles(["label", "proba_1", "prob_2.10", "probability_no disease", "p_value"], NOTHING, "t.csv")
    assert found.classes == {"1": "proba_1", "2.10": "prob_2.10", "no disease": "probability_no disease"}
    assert [finding.found for finding in unused("t.csv", ["label", "p_value"], found)] == ["not used: p_value"]


def test_what_may_be_two_is_asked():
    [finding] = find_roles(["label", "outcome", "prob"], NOTHING, "t.csv").findings
    assert (finding.name, finding.severity) == ("several_columns", Severity.ERROR)
    assert "label, outcome" in finding.found
    assert "--truth" in finding.remedy
    assert find_roles(["label", "outcome", "prob"], Said(truth="outcome"), "t.csv").findings == ()


def test_the_user_says_it_before_any_name_does():
    found = find_roles(["truth", "probability", "died", "apache"], Said(truth="died", answer="apache"), "t.csv")
    assert found.of[Role.TRUTH] == "died"
    assert found.answer == "apache"
    assert find_roles(["truth"], Said(answer="apache"), "t.csv").findings[0].place == "t.csv --answer"
