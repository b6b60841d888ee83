"""What stands between the cells of a .csv is told by its header."""

import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.csv import Csv


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_header_tells_what_divides_cells(sign):
    frame = Csv().parse(f"\na{sign}b\n1{sign}2.5\n", "x.csv", TableReading()).frame
    assert frame.rows() == [("1", "2.5")]
    assert frame.columns == ["a", "b"]


def test_two_signs_that_divide_all_rows_alike_are_not_chosen_between():
    with pytest.raises(CohortError, match=r"comma and semicolon do so.*separator ="):
        Csv().parse("a,b;c\n1,2;3\n", "x.csv", TableReading())
    said = Csv().parse("a,b;c\n1,2;3\n", "x.csv", TableReading(separator=","))
    assert said.frame.columns == ["a", "b;c"]
