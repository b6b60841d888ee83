import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.text.objects import no_json, parse_json, table_of


def test_a_name_that_lacks_is_an_empty_cell():
    cells = table_of([{"id": "01", "age": 54}, {"id": "1", "dose": 0.5}], "a.jsonl")
    assert cells.frame.rows() == [("01", 54, None), ("1", None, 0.5)]
    assert cells.declared == {"id", "age", "dose"}


@pytest.mark.parametrize(
    ("text", "found"),
    [("{", "cut off"), ("nothing", "it is none"), ('{"a": 1, "a": 2}', "twice"), ("[" * 10**5, "too deeply")],
)
def test_what_is_no_json_is_told(text, found):
    with pytest.raises(CohortError, match=found):
        parse_json(text, "a.json")


def test_a_number_that_is_none_is_not_known():
    assert parse_json('{"crp": NaN}', "a.json") == {"crp": None}


def test_what_is_no_record_is_named_by_its_row():
    with pytest.raises(CohortError) as refused:
        table_of([{"a": 1}, [2], 3], "a.json")
    assert refused.value.findings[0].rows == (2, 3)
    with pytest.raises(CohortError, match="records of patients"):
        table_of([], "a.json")


def test_the_finding_names_its_place():
    assert no_json("a.json line 3", "x").place == "a.json line 3"
