from datetime import date

import polars as pl
import pytest

from polyclinic.errors import Finding
from polyclinic.formats.columns.dates import index_dates


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2020-01-31", None], date(2020, 1, 31)),
        (["31/01/2020", "01/02/2020"], date(2020, 1, 31)),
        (["01/31/2020", "02/01/2020"], date(2020, 1, 31)),
        (["31.1.2020"], date(2020, 1, 31)),
        (["20200131", None], date(2020, 1, 31)),
        ([20200131, None], date(2020, 1, 31)),
        ([date(2020, 1, 31)], date(2020, 1, 31)),
    ],
)
def test_dates_of_many_hospitals(cells: list[object], first: date) -> None:
    dates = index_dates(pl.Series("x", cells), "cohort.csv column x")
    assert isinstance(dates, pl.Series)
    assert dates[0] == first


@pytest.mark.parametrize(
    "cells",
    [
        ["01/02/2020", "03/04/2020"],
        ["31/01/2020", "01/31/2020"],
        ["soon"],
        [1.5],
        [20201350],
        ["20200131", "1"],
    ],
)
def test_what_is_no_date_or_leaves_doubt_is_refused(cells: list[object]) -> None:
    finding = index_dates(pl.Series("x", cells), "cohort.csv column x")
    assert isinstance(finding, Finding)
    assert "2020-01-31" in finding.remedy
