import pytest

from polyclinic import errors
from polyclinic.errors import CohortError, Finding, MissingPackage, PolyclinicError, Severity, name_rows, stop_on

FINDING = Finding("odd", "cohort.csv", "must be even", "it is odd", "Double it.", rows=(3, 17))


def test_a_finding_says_place_rule_what_was_found_and_remedy():
    assert str(FINDING) == "cohort.csv: must be even; it is odd (rows 3, 17). Double it."


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((), ""),
        ((4,), " (row 4)"),
        ((1, 2, 3, 4, 5), " (rows 1, 2, 3, 4, 5)"),
        (range(1, 8), " (rows 1, 2, 3, 4, 5 and 2 more)"),
    ],
)
def test_rows_are_named_and_shortened(rows, words):
    assert name_rows(tuple(rows)) == words


def test_an_error_carries_all_findings():
    error = CohortError([FINDING, FINDING])
    assert len(error.findings) == 2
    assert str(error).count("must be even") == 2


@pytest.mark.parametrize(
    ("severity", "stops"), [("error", True), ("refused", True), ("warning", False), ("note", False)]
)
def test_what_stops(severity, stops):
    finding = Finding("odd", "here", "rule", "found", "remedy", Severity(severity))
    if stops:
        with pytest.raises(CohortError):
            stop_on([finding], CohortError)
    else:
        stop_on([finding], CohortError)


def test_a_missing_package_is_an_import_error_that_names_the_extra():
    error = MissingPackage("optuna", "search", "[training] search")
    assert isinstance(error, ImportError)
    assert "pip install 'polyclinic[search]'" in str(error)


def test_every_error_of_the_house_is_a_fault_of_the_users():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    kinds = [kind for kind in kinds if not issubclass(kind, Warning)]
    assert len(kinds) >= 8
    assert all(issubclass(kind, PolyclinicError) and issubclass(kind, ValueError) for kind in kinds)


def test_a_finding_cannot_steer_the_terminal():
    told = str(Finding("odd", 'a.csv column "a\x1b[31mb\nc\u202ed"', "must", "it is", "Do."))
    assert told == 'a.csv column "a\\x1b[31mb\\nc\\u202ed": must; it is. Do.'
    assert errors.visible("\u75c5\u4eba [x] \u00e9") == "\u75c5\u4eba [x] \u00e9"
