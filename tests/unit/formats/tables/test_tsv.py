"""A .tsv is divided by tabs, whatever else its header holds."""

from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.tsv import Tsv


def test_only_tabs_divide():
    frame = Tsv().parse("a,b\tc\n1,2\t3\n", "x.tsv", TableReading()).frame
    assert frame.columns == ["a,b", "c"]
    assert frame.rows() == [("1,2", "3")]
