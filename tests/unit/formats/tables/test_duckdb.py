import datetime as dt
import sys

import pytest

from polyclinic.errors import CohortError, MissingPackage
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.read_table import read_table

duckdb = pytest.importorskip("duckdb")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ward.duckdb"
    with duckdb.connect(path) as database:
        database.execute("CREATE TABLE patients (id VARCHAR, age INT, day DATE, dose DECIMAL(5,2), alive BOOL)")
        database.execute("INSERT INTO patients VALUES ('1', 54, '2020-01-31', 1.5, true), ('01', NULL, NULL, 2, false)")
        database.execute("CREATE TABLE labs (id VARCHAR, crp DOUBLE[])")
        database.execute("INSERT INTO labs VALUES ('1', [1.5])")
    return path


def test_types_are_those_of_the_database(path):
    frame = read_table(f"{path}#patients").frame
    assert frame.rows() == [("1", 54, dt.date(2020, 1, 31), 1.5, True), ("01", None, None, 2.0, False)]


def test_a_query_reaches_nothing_but_this_database(path, tmp_path):
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    assert read_table(path, TableReading(query="select id from patients")).frame.shape == (2, 1)
    for query in (f"select * from '{tmp_path}/b.csv'", "select no_such from patients"):
        with pytest.raises(CohortError, match="query: must be a SELECT"):
            read_table(path, TableReading(query=query))


def test_lists_are_refused(path):
    with pytest.raises(CohortError, match=r'column "crp".*lists or records'):
        read_table(f"{path}#labs")


def test_without_duckdb_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingPackage, match=r"polyclinic\[duckdb\]"):
        read_table(f"{path}#patients")
