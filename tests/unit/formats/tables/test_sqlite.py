import hashlib
import sqlite3
from contextlib import closing

import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.read_table import read_table


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ward.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            'CREATE TABLE "the patients" (id TEXT, age INTEGER, crp, "select" REAL);'
            "INSERT INTO \"the patients\" VALUES ('1', 54, 5.5, 1.0), ('01', NULL, 'NA', 2.0), ('1.0', 61, 7, 3.5);"
            'CREATE VIEW old AS SELECT id FROM "the patients" WHERE age > 60;'
        )
    return path


def test_a_table_is_named_after_the_sign(path):
    frame = read_table(f"{path}#the patients").frame
    assert frame["id"].to_list() == ["1", "01", "1.0"]  # declared text stays text
    assert frame["age"].to_list() == [54, None, 61]
    assert frame["crp"].to_list() == [5.5, None, 7.0]  # several types: read as text is
    assert frame["select"].to_list() == [1.0, 2.0, 3.5]
    assert read_table(f"{path}#old").frame["id"].to_list() == ["1.0"]


def test_an_open_question_lists_tables_and_views(path):
    with pytest.raises(CohortError, match=r"2 tables \(old, the patients\)"):
        read_table(path)


def test_a_query_reads_and_nothing_else(path, monkeypatch):
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    query = 'select id, "select" as dose from "the patients" where age is not null'
    assert read_table(path, TableReading(query=query)).frame.shape == (2, 2)
    monkeypatch.setattr("polyclinic.formats.tables.sqlite.one_select", lambda query, part: query)
    for change in ("delete from old", 'drop table "the patients"', "attach 'x' as y", "pragma user_version = 3"):
        with pytest.raises(CohortError):
            read_table(path, TableReading(query=change))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [file.name for file in path.parent.iterdir()] == ["ward.sqlite"]


def test_a_query_of_a_column_that_is_not_there_is_told(path):
    with pytest.raises(CohortError, match="query: must be a SELECT of this database"):
        read_table(path, TableReading(query="select height from old"))


def test_a_database_that_is_being_written_is_refused(path):
    path.with_name("ward.sqlite-wal").write_bytes(b"x")
    with pytest.raises(CohortError, match="Close the program that writes it"):
        read_table(f"{path}#old")


def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "a.db").write_text("id,age\n1,2\n" * 100)
    with pytest.raises(CohortError, match="whole SQLite file"):
        read_table(tmp_path / "a.db")


def test_a_query_for_a_text_table_does_nothing_and_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("id,age\na,2\nb,3\n")
    [note] = read_table(tmp_path / "a.csv", TableReading(query="select 1")).notes
    assert note.name == "idle_key"
    assert note.place == "[cohort] query"
