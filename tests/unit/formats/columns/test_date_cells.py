from datetime import datetime

import pytest

from polyclinic.formats.columns.date_cells import DateForm, date_cell


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2020-01-31", DateForm.YEAR_FIRST),
        ("31.01.2020", DateForm.POINTS),
        ("31/01/2020", DateForm.STROKES),
        ("31.01.20", DateForm.TWO_DIGIT_YEAR),
        ("31 janvier 2020", DateForm.NAMED),
        ("2020-W05", DateForm.WEEK),
        ("2020Q1", DateForm.QUARTER),
        ("2020-01", DateForm.MONTH),
    ],
)
def test_the_way_in_which_a_cell_is_written(cell: str, form: DateForm) -> None:
    found = date_cell(cell)
    assert found is not None
    assert found.form is form


@pytest.mark.parametrize("cell", ["", "soon", "5 foo 2020", "120/80", "1.5"])
def test_what_is_no_date(cell: str) -> None:
    assert date_cell(cell) is None


def test_a_zone_is_calculated_and_the_calendar_decides() -> None:
    found = date_cell("2020-01-01T00:30:00+01:00")
    assert found is not None
    assert found.moment(day_first=False) == datetime(2019, 12, 31, 23, 30)
    odd = date_cell("31/02/2020")
    assert odd is not None
    assert odd.moment(day_first=True) is None
