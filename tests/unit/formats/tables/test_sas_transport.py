import datetime as dt

import pandas as pd
import pyreadstat

from polyclinic.formats.read_table import read_table


def test_a_table_of_the_program_is_read(tmp_path):
    frame = pd.DataFrame({"ID": ["01", "1"], "AGE": [54, 61], "CRP": [0.5, None], "DAY": [dt.date(2020, 1, 31), None]})
    pyreadstat.write_xport(frame, tmp_path / "a.xpt")
    assert read_table(tmp_path / "a.xpt").frame.rows() == [("01", 54, 0.5, dt.date(2020, 1, 31)), ("1", 61, None, None)]
