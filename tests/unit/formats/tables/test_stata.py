import datetime as dt

import pandas as pd
import pyreadstat
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table


def test_a_table_of_the_program_is_read(tmp_path):
    frame = pd.DataFrame({"ID": ["01", "1"], "AGE": [54, 61], "CRP": [0.5, None], "DAY": [dt.date(2020, 1, 31), None]})
    pyreadstat.write_dta(frame, tmp_path / "a.dta")
    assert read_table(tmp_path / "a.dta").frame.rows() == [("01", 54, 0.5, dt.date(2020, 1, 31)), ("1", 61, None, None)]


def test_labels_and_missing_values_of_the_user(tmp_path):
    frame = pd.DataFrame({"sex": [1, 2, "a"]})
    labels = {"variable_value_labels": {"sex": {1: "male", 2: "female"}}, "missing_user_values": {"sex": ["a"]}}
    pyreadstat.write_dta(frame, tmp_path / "a.dta", **labels)
    assert read_table(tmp_path / "a.dta").frame["sex"].to_list() == ["male", "female", None]


def test_a_table_that_lost_its_labels_is_refused(tmp_path):
    labels = {"variable_value_labels": {"sex": {1: "male", 2: "female"}}}
    pyreadstat.write_dta(pd.DataFrame({"sex": [1, 2]}), tmp_path / "a.dta", **labels)
    content = (tmp_path / "a.dta").read_bytes()
    (tmp_path / "a.dta").write_bytes(content[:-100])
    with pytest.raises(CohortError, match="where the labels stand"):
        read_table(tmp_path / "a.dta")
