import pytest

from polyclinic.cohort.ordered_classes import is_scale, order_of


@pytest.mark.parametrize(
    ("name", "ordered"),
    [
        ("mRS", ["0", "1", "2", "3", "4", "5", "6"]),
        ("asa", ["I", "II", "III", "IV", "V"]),
        ("NYHA class", ["1", "2", "3", "4"]),
        ("ECOG", ["0", "1", "2", "3"]),
        ("TNM", ["I", "IIA", "IIB", "III", "IV"]),
        ("y", ["Stage I", "Stage II", "Stage IIIA"]),
        ("y", ["G1", "G2", "G3"]),
        ("y", ["T1", "T2", "T3", "T4"]),
        ("Child-Pugh", ["A", "B", "C"]),
        ("BI-RADS", ["1", "2", "3", "4a", "4b", "4c", "5"]),
        ("y", ["mild", "moderate", "severe"]),
        ("y", ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]),
        ("病情", ["轻度", "中度", "重度"]),
        ("分期", ["1", "2", "3"]),
        ("y", ["leicht", "mittel", "schwer"]),
    ],
)
def test_grades_come_in_their_order(name: str, ordered: list[str]) -> None:
    assert order_of(name, ordered[::-1]) == tuple(ordered)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("ward", ["A", "B", "C"]),
        ("cell type", ["1", "2", "3"]),
        ("species", ["setosa", "virginica", "versicolor"]),
        ("stage", ["I", "II"]),
        ("rhythm", ["normal", "flutter", "fibrillation"]),
        ("grade", ["1", "2", "unknown"]),
    ],
)
def test_what_has_no_order(name: str, classes: list[str]) -> None:
    assert order_of(name, classes) is None


def test_names_of_scales() -> None:
    assert is_scale("tumour_grade")
    assert not is_scale("diagnosis")
