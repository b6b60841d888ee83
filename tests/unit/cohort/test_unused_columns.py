from datetime import date

import polars as pl
import pytest

from polyclinic.cohort.unused_columns import WHYS, unused_columns

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
    found = {one.name: one.why for one in unused_columns(TABLE, ("age",))}
    assert list(found) == [column for column in TABLE.columns if column != "age"]
    assert found[name].startswith(why)
    assert found[name] in WHYS
