"""A database by its address. SQLite stands for all: it is spoken to through SQLAlchemy here, as the others are."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.databases.database import Database
from polyclinic.formats.read_table import read_table

pytest.importorskip("sqlalchemy")


@pytest.fixture
def address(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE patients (id TEXT, age INTEGER)")
        database.executemany("INSERT INTO patients VALUES (?, ?)", [("1", 54), ("01", 61)])
        database.execute("CREATE TABLE wards (name TEXT)")
        database.commit()
    return f"sqlite:///{tmp_path}/a.db"


def test_a_table_is_read_and_its_content_is_its_fingerprint(address):
    read = read_table(f"{address}#patients")
    assert read.frame.rows() == [("1", 54), ("01", 61)]
    assert list(read.sources) == [read.name]
    again = read_table(address, TableReading(query="select * from patients"))
    assert again.sources == read.sources
    other = read_table(address, TableReading(query="select id, age + 1 as age from patients"))
    assert other.sources != read.sources


def test_an_open_question_lists_the_tables(address):
    with pytest.raises(CohortError, match=r"2 tables \(patients, wards\)"):
        read_table(address)


def test_a_colon_in_a_query_is_no_parameter(address):
    assert (
        read_table(address, TableReading(query="select 'a:b' as x from patients")).frame["x"].to_list() == ["a:b"] * 2
    )


def test_nothing_can_be_changed(address, monkeypatch):
    monkeypatch.setattr("polyclinic.formats.databases.database.one_select", lambda query, part: query)
    with pytest.raises(CohortError):
        read_table(address, TableReading(query="delete from patients"))
    assert read_table(f"{address}#patients").frame.height == 2


def test_a_query_that_fails_says_so(address):
    with pytest.raises(CohortError, match="query: must be a SELECT"):
        read_table(address, TableReading(query="select nothing from nowhere"))


@pytest.mark.parametrize(
    "stated",
    [
        "postgresql://anna:Geheim7@db.example/heart#patients",
        "postgresql://anna:Ge@he/im7@db.example/heart",
        "mysql+pymysql://db.example/heart?user=anna&password=Geheim7",
        "mssql://db.example/heart?authToken=Geheim7",
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_password_in_the_address_is_refused_and_not_repeated(stated, kind):
    with pytest.raises(CohortError) as refused:
        read_table(kind(stated), place="study.toml [cohort] table")
    message = str(refused.value)
    assert refused.value.findings[0].name == "password_in_study"
    assert "db.example/heart" in message
    assert "${STUDY_PASSWORD}" in message
    assert "im7" not in message
    assert "anna" not in message


def test_a_password_comes_from_the_environment_and_is_shown_nowhere(monkeypatch):
    stated = "nosuch://anna:${HEART_PASSWORD}@db.example/heart"
    with pytest.raises(CohortError, match="HEART_PASSWORD is not"):
        Database.named(stated, "table")
    monkeypatch.setenv("HEART_PASSWORD", "Ge/heim@7")
    database = Database.named(stated, "table")
    assert database.url == "nosuch://anna:Ge%2Fheim%407@db.example/heart"
    assert "heim" not in repr(database)
    with pytest.raises(CohortError, match="no such kind of database") as refused:
        database.content("patients", TableReading())
    assert "heim" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_driver_that_lacks_is_named():
    with pytest.raises(CohortError, match="pip install pymysql"):
        read_table("mysql+pymysql://db.example/heart#patients")


def test_a_database_that_does_not_answer_is_told(tmp_path):
    with pytest.raises(CohortError, match="must answer"):
        read_table(f"sqlite:///{tmp_path}/no/such/folder.db#patients")


def test_a_sqlite_file_that_is_not_there_is_told_and_not_made(tmp_path):
    with pytest.raises(CohortError, match="there is no such file"):
        read_table(f"sqlite:///{tmp_path}/nothere.sqlite#t")
    assert not list(tmp_path.iterdir())
