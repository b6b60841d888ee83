import datetime as dt

import openpyxl
import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table
from polyclinic.formats.tables.xlsx import Xlsx


def test_a_workbook_as_wards_keep_it(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Heart failure, ward 3"])
    sheet.merge_cells("A1:E1")
    sheet.append([])
    sheet.append([None, "id", "age", "day", "crp"])
    sheet.append([0, "007", 54, dt.date(2020, 1, 31), 5])
    sheet.append([1, "12E3", 61, dt.date(2020, 2, 1), "#N/A"])
    sheet.append([2, "1.0", 70, None, "NA"])
    sheet.row_dimensions[5].hidden = True
    book.save(tmp_path / "a.xlsx")
    read = read_table(tmp_path / "a.xlsx")
    assert read.frame.to_dict(as_series=False) == {
        "id": ["007", "12E3", "1.0"],
        "age": [54, 61, 70],
        "day": [dt.date(2020, 1, 31), dt.date(2020, 2, 1), None],
        "crp": [5, None, None],
    }
    assert {note.name for note in read.notes} == {"title_lines", "error_cells", "hidden_cells", "index_column"}
    assert set(read.sources) == {"a.xlsx"}


def test_what_is_written_is_read_by_others(tmp_path):
    frame = pl.DataFrame(
        {
            "id": ["007", "=1+1", "http://x"],
            "day": [dt.date(2020, 1, 31), None, dt.date(1899, 1, 1)],
            "at": [dt.datetime(2020, 1, 31, 8, 30), None, None],
            "yes": [True, False, None],
            "odds": [0.5, float("nan"), float("inf")],
            "parts": [[1], [2], [3]],
        }
    )
    (tmp_path / "a.xlsx").write_bytes(Xlsx().write(frame))
    rows = list(openpyxl.load_workbook(tmp_path / "a.xlsx").active.values)
    assert rows[0] == ("id", "day", "at", "yes", "odds")
    assert rows[1] == ("007", dt.datetime(2020, 1, 31), dt.datetime(2020, 1, 31, 8, 30), True, 0.5)
    assert rows[2] == ("=1+1", None, None, False, "nan")
    assert rows[3] == ("http://x", "1899-01-01", None, None, "inf")


def test_a_damaged_workbook_is_refused_in_silence(tmp_path, capfd):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(CohortError, match=r"whole \.xlsx workbook"):
        read_table(tmp_path / "a.xlsx")
    assert capfd.readouterr() == ("", "")
