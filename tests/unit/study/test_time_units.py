import pytest

from polyclinic.study.time_units import year_in


@pytest.mark.parametrize(
    ("unit", "year"),
    [("days", 365.25), ("Day", 365.25), ("weeks", 52.178571), ("months", 12), ("Mo.", 12), ("years", 1), ("年", 1)],
)
def test_a_year_in_the_unit_of_the_study(unit, year):
    assert year_in(unit) == pytest.approx(year)


@pytest.mark.parametrize("unit", ["", "cycles", "hours"])
def test_no_year_is_guessed(unit):
    assert year_in(unit) is None
