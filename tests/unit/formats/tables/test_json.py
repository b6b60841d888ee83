import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table


def test_a_list_of_records_is_a_table(tmp_path):
    (tmp_path / "a.json").write_text('[{"id": "01", "age": 54}, {"id": "1", "age": null}]')
    assert read_table(tmp_path / "a.json").frame.rows() == [("01", 54), ("1", None)]


@pytest.mark.parametrize("text", ['{"id": 1}', "3", '[{"id": 1}, 2]', "[]", '[{"id": 1}'])
def test_anything_else_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CohortError):
        read_table(tmp_path / "a.json")
