import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.databases.columns import answered


def test_rows_become_columns():
    cells = answered(["id", "age"], [("1", 54), ("01", None)], "x.db")
    assert cells.frame.rows() == [("1", 54), ("01", None)]
    assert cells.declared == {"id", "age"}


def test_no_rows_leave_the_names():
    assert answered(["id", "age"], [], "x.db").frame.columns == ["id", "age"]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(CohortError, match="stand twice"):
        answered(["id", "id"], [(1, 2)], "x.db")
