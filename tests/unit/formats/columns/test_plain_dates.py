from datetime import date

import polars as pl

from polyclinic.formats.columns.plain_dates import parse_dates, plain_dates


def test_dates_with_the_year_first_are_read_in_every_column() -> None:
    dates = plain_dates(pl.Series(["2020-01-31", None]))
    assert dates is not None
    assert dates.to_list() == [date(2020, 1, 31), None]
    assert plain_dates(pl.Series(["31.01.2020"])) is None


def test_one_cell_of_another_form_and_the_column_is_of_none() -> None:
    assert parse_dates(pl.Series(["2020-01-31", "x"]), "%Y-%m-%d", moment=False) is None
