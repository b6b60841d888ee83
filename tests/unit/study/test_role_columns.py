from polyclinic.study.read import parse_study
from polyclinic.study.role_columns import role_columns

STUDY = """
[cohort]
table = "t.csv"
patient = "id"
site = "ward"
[inputs.labs]
kind = "tabular"
[targets.sick]
kind = "classify"
column = "sick"
[split]
by = "group:family"
"""


def test_who_where_and_what_divides() -> None:
    assert role_columns(parse_study(STUDY)) == ("id", "ward", "family")


def test_columns_of_folds_are_no_input() -> None:
    folds = STUDY.replace('by = "group:family"', 'folds = ["column:cv1", "column:cv2"]')
    assert role_columns(parse_study(folds)) == ("id", "ward", "cv1", "cv2")
