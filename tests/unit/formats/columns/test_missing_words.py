import polars as pl
import pytest

from polyclinic.formats.columns.missing_words import name_taken_as_missing, signs_as_missing


def test_a_dash_among_words_is_missing_and_told() -> None:
    reading = signs_as_missing("t.csv", pl.Series(["I", "II", "-", None]))
    assert reading is not None
    assert reading.values is not None
    assert reading.values.to_list() == ["I", "II", None, None]
    assert [(f.name, f.rows) for f in reading.findings] == [("signs_as_missing", (3,))]


@pytest.mark.parametrize("cells", [["+", "-", "++"], ["pos", "-", "weak"], ["yes", "-"], ["I", "II"]])
def test_a_minus_beside_a_plus_is_a_result(cells: list[str]) -> None:
    assert signs_as_missing("t.csv", pl.Series(cells)) is None


def test_na_among_short_codes_may_be_a_name() -> None:
    finding = name_taken_as_missing("t.csv", pl.Series(["NA", "DE", "ZA"]), ("", "NA"))
    assert finding is not None
    assert finding.rows == (1,)
    assert name_taken_as_missing("t.csv", pl.Series(["NA", "benign", "malignant"]), ("", "NA")) is None
    assert name_taken_as_missing("t.csv", pl.Series(["", "DE", "ZA"]), ("", "NA")) is None
