from datetime import date, datetime

import polars as pl
import pytest

from polyclinic.formats.columns.column_types import absent_column, as_words, pick, shorten, type_columns
from polyclinic.formats.columns.reading import CellReading, ColumnUses

MISSING = ("", "NA", "?")


def typed(*cells: str | None) -> list[object]:
    return type_columns(pl.DataFrame({"x": cells}, schema={"x": pl.String}), CellReading(MISSING))["x"].to_list()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1", " -2 ", "+3", "NA"), [1, -2, 3, None]),
        (("1", "2.5", ".5", "1e-3", "?"), [1.0, 2.5, 0.5, 0.001, None]),
        (("True", "false", None), [True, False, None]),
        (("2020-01-31", "2020-2-1", ""), [date(2020, 1, 31), date(2020, 2, 1), None]),
        (("2020年1月31日",), [date(2020, 1, 31)]),
        (("2020-01-31 10:20", "2020-01-31T11:00"), [datetime(2020, 1, 31, 10, 20), datetime(2020, 1, 31, 11)]),
        (("007", "8"), ["007", "8"]),
        (("00.5", "1"), ["00.5", "1"]),
        (("1", "2", "x"), ["1", "2", "x"]),
        (("31/01/2020", "01/02/2020"), ["31/01/2020", "01/02/2020"]),
        (("2020-13-45",), ["2020-13-45"]),
        (("12345678901234567890", "1"), ["12345678901234567890", "1"]),
        (("inf", "1"), ["inf", "1"]),
        (("", "NA", None), [None, None, None]),
    ],
)
def test_a_column_is_what_all_its_cells_are(cells: tuple[str, ...], values: list[object]) -> None:
    assert typed(*cells) == values


def test_words_lose_their_outer_blanks_and_texts_do_not() -> None:
    cells = ["  pain", "\u3000\u75bc\u75db\u3000", " NA ", "\u3000 ", "no pain\n"]
    uses = ColumnUses(texts=frozenset({"note", "^w.*$", "another table's"}))
    found = type_columns(pl.DataFrame({"note": cells, "word": cells}), CellReading(MISSING, uses=uses))
    assert found["word"].to_list() == ["pain", "\u75bc\u75db", None, None, "no pain"]
    assert found["note"].to_list() == ["  pain", "\u3000\u75bc\u75db\u3000", None, None, "no pain\n"]


def test_a_late_exception_counts() -> None:
    assert typed(*["1"] * 5000, "x")[-1] == "x"


def test_words_write_whole_numbers_as_such() -> None:
    assert as_words(pl.Series([1.0, None, 2.0])).tolist() == ["1", "", "2"]
    assert as_words(pl.Series([1.5, 2.0])).tolist() == ["1.5", "2.0"]


def test_an_absent_column_suggests_the_nearest() -> None:
    finding = absent_column("study.toml [cohort] patient", "patient_di", ["age", "patient_id"])
    assert 'Did you mean "patient_id"?' in finding.remedy
    assert 'Did you mean "AGE"?' in absent_column("x", "age", ["AGE", "agee"]).remedy
    assert "Did you mean" not in absent_column("x", "zzz", ["age"]).remedy


def test_a_long_list_is_shortened() -> None:
    assert shorten([str(i) for i in range(20)], 3) == "0, 1, 2 and 17 more"


def test_columns_are_picked_by_their_very_names() -> None:
    frame = pl.DataFrame({"*": [1], "^a$": [2], "a": [3]})
    assert pick(frame, ["^a$", "*", "*"]).rows() == [(2, 1)]


def test_numbers_too_large_for_whole_ones_are_still_words() -> None:
    assert as_words(pl.Series([1e300, 2.0])).tolist() == ["1e+300", "2.0"]
    assert as_words(pl.Series([1.0, 2.0])).tolist() == ["1", "2"]
