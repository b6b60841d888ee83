from datetime import date, datetime

import polars as pl
import pytest

from polyclinic.errors import Severity
from polyclinic.formats.columns.dates import index_dates, read_dates


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
    dates, told = index_dates(pl.Series("x", cells), "cohort.csv column x")
    assert dates is not None
    assert dates[0] == first
    assert told == []


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
    dates, [finding] = index_dates(pl.Series("x", cells), "cohort.csv column x")
    assert dates is None
    assert finding.severity is Severity.ERROR
    assert "2020-01-31" in finding.remedy


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2021-03-05T07:30:00Z", datetime(2021, 3, 5, 7, 30)),
        ("2021-03-05T01:30:00+02:00", datetime(2021, 3, 4, 23, 30)),
        ("2021-03-05 24:00", datetime(2021, 3, 6)),
        ("5 Mar 2021", date(2021, 3, 5)),
        ("31-DEZ-2020", date(2020, 12, 31)),
        ("M\N{LATIN SMALL LETTER A WITH DIAERESIS}rz 5, 2021", date(2021, 3, 5)),
        ("1 ao\N{LATIN SMALL LETTER U WITH CIRCUMFLEX}t 2021", date(2021, 8, 1)),
        ("05.03.2021", date(2021, 3, 5)),
        ("12/31/2020 11:05 PM", datetime(2020, 12, 31, 23, 5)),
        ("1949-02", date(1949, 2, 1)),
    ],
)
def test_a_column_that_leaves_one_reading_is_read(cell: str, moment: date) -> None:
    read = read_dates(pl.Series([cell, cell, None]))
    assert read is not None
    assert read.values is not None
    assert read.values.to_list() == [moment, moment, None]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["05.03.21"], "century"),
        (["31-DEC-20"], "century"),
        (["2020-W05"], "weeks"),
        (["Q1 2020"], "quarters"),
        (["2021-03-05T07:30:00Z", "2021-03-05T07:30:00"], "time zone"),
        (["2021-03-05 07:30 CET"], "time zone"),
        (["03/05/2021", "04/06/2021"], "day and month"),
        (["2021-01-01"] * 9 + ["2021-02-30"], "calendar"),
    ],
)
def test_a_column_that_leaves_several_is_refused_by_name(cells: list[str], why: str) -> None:
    read = read_dates(pl.Series(cells))
    assert read is not None
    assert read.values is None
    assert why in read.found


def test_the_study_says_how_dates_are_written() -> None:
    dates, _ = index_dates(pl.Series("x", ["03/05/2021", "04/06/2021"]), "x", "%d/%m/%Y")
    assert dates is not None
    assert dates[0] == date(2021, 5, 3)
    dates, _ = index_dates(pl.Series("x", [44260]), "x", "excel")
    assert dates is not None
    assert dates[0] == date(2021, 3, 5)
    _, [finding] = index_dates(pl.Series("x", [44260]), "x")
    assert "Excel" in finding.found


def test_a_day_that_programs_write_where_none_is_known_is_told() -> None:
    days = [date(2021, 1, 1 + day) for day in range(20)]
    _, [finding] = index_dates(pl.Series("x", [*days, date(1900, 1, 1)]), "x")
    assert (finding.name, finding.rows) == ("placeholder_dates", (21,))


@pytest.mark.parametrize("cells", [["soon"], ["1.5", "2.5"], ["3/4", "1/4"], ["1.2.3", "1.2.4"]])
def test_what_is_no_date_is_none(cells: list[str]) -> None:
    assert read_dates(pl.Series(cells)) is None
