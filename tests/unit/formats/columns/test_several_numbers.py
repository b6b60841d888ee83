import polars as pl
import pytest

from polyclinic.errors import Severity
from polyclinic.formats.columns.several_numbers import several_numbers, two_numbers_among


@pytest.mark.parametrize(
    ("cells", "word", "severity"),
    [
        (["120/80", "135 / 85"], "/", Severity.REFUSED),
        (["07:30", "22:15"], "time", Severity.WARNING),
        (["7:30 AM", "1:05 PM"], "time", Severity.WARNING),
        (["1h 20min", "2h 05min"], "duration", Severity.WARNING),
        (["3 y 2 mo", "11 y 0 mo"], "units", Severity.WARNING),
        (["38+4", "40+0"], "weeks", Severity.WARNING),
        (["5'10\"", "6'1\""], "feet", Severity.WARNING),
        (["4.1 (3.5-5.1)", "5.0 (3.5-5.1)"], "range", Severity.WARNING),
    ],
)
def test_more_than_one_number_in_a_cell_is_told(cells: list[str], word: str, severity: Severity) -> None:
    finding = several_numbers("t.csv", pl.Series(cells))
    assert finding is not None
    assert finding.name == "two_numbers_in_a_cell"
    assert word in finding.found
    assert finding.severity is severity


@pytest.mark.parametrize("cells", [["0/1", "1/1"], ["20-29", "30-39"], ["I", "II"], ["5", "6"]])
def test_words_and_single_numbers_are_not(cells: list[str]) -> None:
    assert several_numbers("t.csv", pl.Series(cells)) is None


def test_two_numbers_among_single_ones() -> None:
    assert two_numbers_among(["x", "120/80"])
    assert not two_numbers_among(["x"])
