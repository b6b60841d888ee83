"""What stands between the cells of a .csv is told by its header."""

import pytest

from polyclinic.formats.tables.csv import Csv


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_header_tells_what_divides_cells(sign):
    frame = Csv().parse(f"\na{sign}b\n1{sign}2.5\n", "x.csv").frame
    assert frame.rows() == [("1", "2.5")]
    assert frame.columns == ["a", "b"]


def test_a_comma_in_the_header_comes_first():
    assert Csv().parse("a,b;c\n1,2;3\n", "x.csv").frame.columns == ["a", "b;c"]
