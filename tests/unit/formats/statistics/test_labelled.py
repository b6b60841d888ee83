"""What statistics programs declare. The files are written by pyreadstat from frames of pandas."""

import datetime as dt
import sys

import pandas as pd
import polars as pl
import pyreadstat
import pytest

from polyclinic.errors import CohortError, MissingPackage, Severity
from polyclinic.formats.read_table import read_table
from polyclinic.formats.statistics.labelled import read_labelled

FRAME = pd.DataFrame(
    {
        "id": ["01", "1", "1.0"],
        "sex": [1, 2, 1],
        "pain": [1.0, 9.0, 2.0],
        "age": [54.0, None, 61.0],
        "crp": [0.5, 2.0, None],
        "day": [dt.date(2020, 1, 31), dt.date(2021, 1, 1), None],
    }
)
LABELS = {"sex": {1: "male", 2: "female"}, "pain": {1: "low", 2: "high", 9: "refused"}}


@pytest.fixture
def path(tmp_path):
    kept = {"missing_ranges": {"pain": [9]}, "column_labels": {"age": "Age in years"}}
    pyreadstat.write_sav(FRAME, tmp_path / "a.sav", variable_value_labels=LABELS, **kept)
    return tmp_path / "a.sav"


def test_labels_are_words_and_missing_values_of_the_user_are_not_known(path):
    frame = read_table(path).frame
    assert frame["id"].to_list() == ["01", "1", "1.0"]
    assert frame["sex"].to_list() == ["male", "female", "male"]
    assert frame["pain"].to_list() == ["low", None, "high"]
    assert frame["age"].to_list() == [54, None, 61]
    assert frame["crp"].to_list() == [0.5, 2.0, None]
    assert frame.schema["day"] == pl.Date
    assert read_labelled(path, "read_sav").declared == set(FRAME.columns)


def test_what_the_columns_mean_is_a_note(path):
    [note] = read_table(path).notes
    assert (note.name, note.severity) == ("column_labels", Severity.NOTE)
    assert note.found == "age: Age in years"


@pytest.mark.parametrize("labels", [{9: "refused"}, {1: "yes", 2: "yes", 9: "no"}])
def test_labels_for_some_values_or_for_two_alike_leave_the_numbers(tmp_path, labels):
    pyreadstat.write_sav(FRAME, tmp_path / "a.sav", variable_value_labels={"pain": labels})
    read = read_table(tmp_path / "a.sav")
    assert read.frame["pain"].to_list() == [1, 9, 2]
    assert [(note.name, note.severity) for note in read.notes] == [("partly_labelled", Severity.WARNING)]


def test_a_damaged_file_is_refused_and_says_nothing_itself(path, capfd):
    content = path.read_bytes()
    for end in (100, len(content) // 2, len(content) - 20):
        path.write_bytes(content[:end])
        with pytest.raises(CohortError, match=r"must be a whole \.sav file"):
            read_table(path)
    assert capfd.readouterr() == ("", "")


def test_without_the_package_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(MissingPackage, match=r"polyclinic\[statistics\]"):
        read_table(path)
