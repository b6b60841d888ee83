from decimal import Decimal

import polars as pl
import pytest

from polyclinic.errors import Severity
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.read_columns import TypedColumns, read_columns
from polyclinic.formats.columns.reading import CellReading, ColumnUses
from polyclinic.study.schema import ColumnSection

PLAIN = CellReading()


def read(cells: list[str], name: str = "x", reading: CellReading = PLAIN, **declared: frozenset[str]) -> TypedColumns:
    return read_columns(TableCells(pl.DataFrame({name: cells}), **declared), reading, "t.csv")


def test_plain_columns_have_nothing_to_tell() -> None:
    assert read(["1", "2.5"]).frame["x"].to_list() == [1.0, 2.5]
    assert read(["1", "2.5"]).readings == {}


@pytest.mark.parametrize(
    "cells",
    [["12E3", "120E2", "12000"], ["2.1", "2.10"], ["123456789012345678.0", "123456789012345679.0"], ["007", "8"]],
)
def test_a_column_whose_text_counts_keeps_it(cells: list[str]) -> None:
    typed = read(cells, reading=CellReading(uses=ColumnUses(words=frozenset({"x"}))))
    assert typed.frame["x"].to_list() == cells


def test_it_is_of_numbers_where_nothing_is_lost() -> None:
    typed = read(["0", "1", "12"], reading=CellReading(uses=ColumnUses(words=frozenset({"x"}))))
    assert typed.frame["x"].dtype == pl.Int64


def test_few_groups_are_names_and_many_numbers_a_measure() -> None:
    groups = CellReading(uses=ColumnUses(groups=frozenset({"x"})))
    assert read(["2.1", "2.10"], reading=groups).frame["x"].to_list() == ["2.1", "2.10"]
    assert read([f"{i}.50" for i in range(20)], reading=groups).frame["x"].dtype == pl.Float64


@pytest.mark.parametrize("name", ["zip", "Postal Code", "PLZ", "phone", "ICD_9"])
def test_codes_made_of_digits_are_no_numbers(name: str) -> None:
    typed = read(["80331", "10115"], name)
    assert typed.frame[name].to_list() == ["80331", "10115"]
    assert [f.name for f in typed.readings[name].findings] == ["code_not_number"]
    said = CellReading(columns={name: ColumnSection(type="number")})
    assert read(["80331"], name, said).frame[name].dtype == pl.Int64


def test_years_are_numbers() -> None:
    assert read(["1999", "2001"], "year").frame["year"].dtype == pl.Int64


def test_scientific_notation_beside_its_value_is_a_code() -> None:
    assert read(["12E3", "120E2", "12000"]).frame["x"].dtype == pl.String
    assert read(["1.2e3", "12"]).frame["x"].dtype == pl.Float64


def test_a_declaration_wins() -> None:
    assert read(["1", "2"], nominal=frozenset({"x"})).frame["x"].to_list() == ["1", "2"]
    assert read(["1", "2"], declared=frozenset({"x"})).frame["x"].to_list() == ["1", "2"]
    said = CellReading(columns={"x": ColumnSection(type="text")})
    assert read(["1", "2"], reading=said).frame["x"].to_list() == ["1", "2"]


def test_declared_text_that_some_program_could_not_read_is_read() -> None:
    cells = [*(f"{i},5" for i in range(20)), "-"]
    assert read(cells, declared=frozenset({"x"})).frame["x"].to_list() == [*(i + 0.5 for i in range(20)), None]


def test_an_infinite_number_of_a_typed_file_is_missing() -> None:
    frame = pl.DataFrame({"x": [1.0, float("inf")]})
    typed = read_columns(TableCells(frame, declared=frozenset({"x"})), PLAIN, "t.parquet")
    assert typed.frame["x"].to_list() == [1.0, None]
    assert [(f.name, f.rows) for f in typed.readings["x"].findings] == [("infinite_values", (2,))]


GERMAN = ["2.144", "2.493", "458", "2.500", "1.619"]


def test_points_beside_whole_hundreds_may_divide_thousands_and_the_study_is_asked() -> None:
    typed = read(GERMAN)
    assert typed.frame["x"].dtype == pl.String
    assert [(f.name, f.severity) for f in typed.readings["x"].findings] == [("ambiguous_numbers", Severity.REFUSED)]
    assert 'decimal = ","' in typed.readings["x"].findings[0].remedy


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (ColumnSection(decimal=","), [2144, 2493, 458, 2500, 1619]),
        (ColumnSection(thousands="."), [2144, 2493, 458, 2500, 1619]),
        (ColumnSection(decimal="."), [2.144, 2.493, 458, 2.5, 1.619]),
    ],
)
def test_the_study_says_what_points_stand_between(said: ColumnSection, values: list[float]) -> None:
    typed = read(GERMAN, reading=CellReading(columns={"x": said}))
    assert typed.frame["x"].to_list() == values


def test_a_trained_model_does_not_ask_again_what_points_mean() -> None:
    uses = ColumnUses(numbers=frozenset({"x"}), learned=True)
    assert read(GERMAN, reading=CellReading(uses=uses)).frame["x"].to_list() == [2.144, 2.493, 458, 2.5, 1.619]


def test_points_with_a_unit_are_asked_about_too() -> None:
    typed = read([f"{cell} ng/mL" for cell in GERMAN] * 4)
    assert [f.name for f in typed.readings["x"].findings] == ["ambiguous_numbers"]


LONG = ["1234567890123456788", "1234567890123456789", "12345678901234567890", None]


@pytest.mark.parametrize(
    "cells",
    [LONG, [f"{cell}.0" if cell else None for cell in LONG], ["12", "9223372036854775808"], ["1", "1,5", "9" * 20]],
)
def test_identifiers_longer_than_a_number_holds_stay_text_and_that_is_told(cells: list[str]) -> None:
    typed = read(cells)
    assert typed.frame["x"].to_list() == cells
    assert [f.name for f in typed.readings["x"].findings] == ["long_numbers"]


def test_where_numbers_are_meant_long_ones_are_numbers() -> None:
    said = CellReading(columns={"x": ColumnSection(type="number")})
    assert read(["1" + "0" * 30, "60"], reading=said).frame["x"].to_list() == [1e30, 60.0]
    assert read(["1.5e300", "60"]).frame["x"].to_list() == [1.5e300, 60.0]


def test_long_decimals_of_a_typed_file_keep_every_digit() -> None:
    ids = [Decimal(10**18 + i) for i in range(3)]
    for kind in (pl.Decimal(38, 0), pl.Decimal(20, 0)):
        frame = pl.DataFrame({"x": pl.Series(ids, dtype=kind)})
        typed = read_columns(TableCells(frame, declared=frozenset({"x"})), PLAIN, "t.parquet")
        assert typed.frame["x"].to_list() == [int(i) for i in ids]
    beyond = pl.DataFrame({"x": pl.Series([Decimal(10**19), Decimal(10**19 + 1)], dtype=pl.Decimal(38, 0))})
    typed = read_columns(TableCells(beyond, declared=frozenset({"x"})), PLAIN, "t.parquet")
    assert typed.frame["x"].to_list() == [str(10**19), str(10**19 + 1)]


def test_a_wide_table_is_looked_at_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    select = pl.DataFrame.select_seq
    monkeypatch.setattr(pl.DataFrame, "select_seq", lambda *given, **named: looks.append(1) or select(*given, **named))
    frame = pl.DataFrame({f"c{i}": ["1", "2.5", "3"] if i % 2 else ["1", "2", "3"] for i in range(200)})
    typed = read_columns(TableCells(frame), PLAIN, "t.csv")
    assert set(typed.frame.dtypes) == {pl.Int64, pl.Float64}
    assert len(looks) < 20
