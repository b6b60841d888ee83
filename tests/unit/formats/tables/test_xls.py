import datetime as dt

import pytest
import xlwt

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table


@pytest.fixture
def path(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Patients")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for row, cells in enumerate([("id", "age", "day"), ("007", 54, dt.date(2020, 1, 31)), ("1E3", 61.5, None)]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell, day if isinstance(cell, dt.date) else xlwt.Style.default_style)
    book.save(tmp_path / "a.xls")
    return tmp_path / "a.xls"


def test_its_cells_are_read_as_they_are_stored(path):
    assert read_table(path).frame.rows() == [("007", 54.0, dt.date(2020, 1, 31)), ("1E3", 61.5, None)]


def test_damage_that_takes_the_library_down_is_a_finding(path, capfd):
    content = path.read_bytes()
    for end in range(1, len(content), 1500):
        path.write_bytes(content[:end])
        with pytest.raises(CohortError, match=r"whole \.xls workbook"):
            read_table(path)
    assert capfd.readouterr() == ("", "")
