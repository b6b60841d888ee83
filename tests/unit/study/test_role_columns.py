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
