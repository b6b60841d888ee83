from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from polyclinic.cohort.unused_columns import WHYS, unused_columns
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.columns.read_columns import read_columns
from polyclinic.formats.columns.reading import CellReading

TABLE = pl.DataFrame(
    {
        "age": [50 + n % 7 for n in range(40)],
        "note": [f"text {n}" for n in range(40)],
        "born": [date(1950, 1, 1 + n % 28) for n in range(40)],
        "country": ["DE"] * 40,
        "empty": pl.Series([None] * 40, dtype=pl.String),
        "boxes": [[n] for n in range(40)],
        "ward": ["A", "B"] * 20,
    }
)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("note", "another word"),
        ("born", "dates"),
        ("country", "the same"),
        ("empty", "no value"),
        ("boxes", "lists"),
        ("ward", "no part of the study"),
    ],
)
def test_every_column_that_is_not_used_has_its_reason(name: str, why: str) -> None:
    found = {one.name: one.why for one in unused_columns(TABLE, ("age",), {})}
    assert list(found) == [column for column in TABLE.columns if column != "age"]
    assert found[name].startswith(why)
    assert found[name] in WHYS


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (lambda n: f"1,{100 + n}", "write decimal"),
        (lambda n: f"2.{100 + n}" if n % 3 else f"{400 + n}", "write decimal"),
        (lambda n: f"{n}.6 mg/dL" if n % 2 else f"{n}.8 mg/L", "several units"),
        (lambda n: f"{1 + n % 12:02}/{1 + n % 11:02}/{1980 + n}", "day or month first: write date_format"),
        (lambda n: f"{120 + n}/80", "two numbers in a cell"),
    ],
)
def test_a_column_that_could_not_be_read_says_what_mends_it(cell: Callable[[int], str], why: str) -> None:
    cells = TableCells(pl.DataFrame({"x": [cell(n) for n in range(40)]}))
    typed = read_columns(cells, CellReading(), "t.csv")
    (found,) = unused_columns(typed.frame, (), typed.readings)
    assert why in found.why
    assert found.why in WHYS
