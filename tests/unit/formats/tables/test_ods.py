import datetime as dt

import pandas as pd
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table


@pytest.fixture
def path(tmp_path):
    frame = pd.DataFrame({"id": ["007", "1E3"], "age": [54.5, 61], "day": [dt.date(2020, 1, 31), dt.date(2020, 2, 1)]})
    frame.to_excel(tmp_path / "a.ods", engine="odf")  # with pandas' own index
    return tmp_path / "a.ods"


def test_its_cells_are_read_as_they_are_stored(path):
    read = read_table(path)
    assert read.frame.rows() == [("007", 54.5, dt.date(2020, 1, 31)), ("1E3", 61.0, dt.date(2020, 2, 1))]
    assert [note.name for note in read.notes] == ["index_column"]


def test_damage_is_a_finding(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CohortError):
        read_table(path)
