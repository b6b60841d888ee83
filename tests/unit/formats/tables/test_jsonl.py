import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table
from polyclinic.formats.tables import jsonl


@pytest.mark.parametrize("ending", ["jsonl", "ndjson"])
def test_a_line_is_a_patient(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    path.write_text('{"id": "01", "age": 54, "ward": "2.10"}\n\n{"id": "1", "age": 61, "ward": "2.1"}\n')
    assert read_table(path).frame.rows() == [("01", 54, "2.10"), ("1", 61, "2.1")]


def test_a_bad_line_is_named_and_nested_values_are_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n{"id":\n')
    with pytest.raises(CohortError, match=r"a\.jsonl line 2: must be whole JSON"):
        read_table(path)
    path.write_text('{"id": 1, "labs": {"crp": 5}}\n')
    with pytest.raises(CohortError, match='column "labs"'):
        read_table(path)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "_LONGEST", 100)
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n{"id": "' + "x" * 100 + '"}\n')
    with pytest.raises(CohortError, match="line 2: a line must be one patient"):
        read_table(path)
