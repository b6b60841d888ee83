"""Frames of pandas and polars, and dicts, become the same tables as files do."""

import datetime as dt
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.reading import CellReading, ColumnUses
from polyclinic.formats.frames import GIVEN, given_table
from polyclinic.formats.read_table import read_table

PLAIN = CellReading()


def typed(frame, reading=PLAIN) -> pl.DataFrame:
    return given_table(frame).typed(reading, Path()).frame


HERE = dt.timezone(dt.timedelta(hours=2))
MOMENT = dt.datetime(2020, 1, 31, 8, 30)
COLUMNS = {
    "words": (pd.Series(["north", None, " south "]), pl.String, ["north", None, "south"]),
    "words that are numbers": (pd.Series(["1", "NA", "3"]), pl.Int64, [1, None, 3]),
    "leading zeros": (pd.Series(["007", "010", None]), pl.String, ["007", "010", None]),
    "string type": (pd.Series(["a", pd.NA, "b"], dtype="string"), pl.String, ["a", None, "b"]),
    "floats": (pd.Series([1.5, np.nan, 3.0]), pl.Float64, [1.5, None, 3.0]),
    "half floats": (pd.Series([1.5, np.nan, 3.0], dtype="float16"), pl.Float32, [1.5, None, 3.0]),
    "nullable whole": (pd.Series([1, None, 3], dtype="Int64"), pl.Int64, [1, None, 3]),
    "nullable truth": (pd.Series([True, None, False], dtype="boolean"), pl.Boolean, [True, None, False]),
    "truth": (pd.Series([True, True, False]), pl.Boolean, [True, True, False]),
    "categories": (pd.Series(["I", "II", None], dtype="category"), pl.String, ["I", "II", None]),
    "codes": (pd.Series([1, 2, None], dtype="Int64").astype("category"), pl.String, ["1", "2", None]),
    "numbers and words": (pd.Series([61, "NA", 63.5], dtype=object), pl.Float64, [61.0, None, 63.5]),
    "decimals": (pd.Series([Decimal("1.5"), None, Decimal("2")], dtype=object), pl.Float64, [1.5, None, 2.0]),
    "numpy in objects": (pd.Series([np.int64(1), None, np.int64(3)], dtype=object), pl.Int64, [1, None, 3]),
    "moments": (pd.Series([MOMENT, None, MOMENT]), pl.Datetime("us"), [MOMENT, None, MOMENT]),
    "moments of a zone": (
        pd.Series([MOMENT, None, MOMENT]).dt.tz_localize(HERE),
        pl.Datetime("us"),
        [MOMENT.replace(hour=6), None, MOMENT.replace(hour=6)],
    ),
    "days": (
        pd.Series([MOMENT.date(), None, MOMENT.date()], dtype=object),
        pl.Date,
        [MOMENT.date(), None] * 1 + [MOMENT.date()],
    ),
    "nothing": (pd.Series([None, None, None], dtype=object), pl.String, [None, None, None]),
}


@pytest.mark.parametrize(("column", "kind", "cells"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_pandas(column, kind, cells):
    [found] = typed(pd.DataFrame({"x": column})).get_columns()
    assert found.dtype == kind
    assert found.to_list() == cells


def test_a_column_of_polars_keeps_its_type():
    frame = pl.DataFrame(
        {"n": [1, 2], "s": ["3", "4"], "c": pl.Series(["5", "6"], dtype=pl.Categorical), "d": [MOMENT, None]}
    )
    assert typed(frame).schema == {"n": pl.Int64, "s": pl.Int64, "c": pl.String, "d": pl.Datetime("us")}
    assert typed(frame.lazy()).equals(typed(frame))


def test_a_dict_of_lists_and_arrays():
    found = typed({"a": [1, None], "b": np.array([1.5, np.nan]), "c": ["x", "y"], "d": pd.Series([True, False])})
    assert found.schema == {"a": pl.Int64, "b": pl.Float64, "c": pl.String, "d": pl.Boolean}


def test_what_arrow_can_read():
    class Arrow:
        def __arrow_c_stream__(self, requested_schema=None):
            return pl.DataFrame({"a": [1, 2]}).__arrow_c_stream__(requested_schema)

    assert typed(Arrow())["a"].to_list() == [1, 2]


def test_the_frame_of_a_csv_file_gives_what_the_file_gives(tmp_path):
    (tmp_path / "a.csv").write_text(",id,ward,age,glucose\n0,007,2.1,61,5.2 mg/L\n1,010,2.10,NA,6.1 mg/L\n")
    reading = CellReading(uses=ColumnUses(words=frozenset({"ward"})))
    frame = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    from_file = read_table(tmp_path / "a.csv").frame
    assert typed(frame).equals(from_file)
    assert typed(frame, reading)["ward"].to_list() == ["2.1", "2.10"]


@pytest.mark.parametrize(
    ("index", "columns", "notes"),
    [
        (pd.RangeIndex(2), ["age"], 0),
        (pd.Index([7, 3]), ["age"], 1),
        (pd.Index([7, 3], name="patient"), ["patient", "age"], 0),
        (pd.Index(["p1", "p2"]), ["index", "age"], 1),
        (pd.MultiIndex.from_tuples([("p1", 1), ("p2", 1)], names=["patient", None]), ["patient", "index_2", "age"], 0),
    ],
)
def test_an_index_that_means_something_is_a_column(index, columns, notes):
    given = given_table(pd.DataFrame({"age": [61, 62]}, index=index))
    assert given.cells.frame.columns == columns
    assert len([one for one in given.cells.notes if one.name == "frame_index"]) == notes


@pytest.mark.parametrize(
    "frame",
    [
        [1, 2],
        {"a": [1, 2], "b": [1]},
        {"a": 1},
        {"a": []},
        {},
        {"a": np.zeros((2, 2))},
        {"a": [[1], [2]]},
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused(frame):
    with pytest.raises(CohortError, match=GIVEN):
        given_table(frame)


def test_equal_content_has_one_fingerprint_and_another_has_another():
    def print_of(frame):
        return given_table(frame).typed(CellReading(), Path()).sources[GIVEN]

    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert print_of(frame) == print_of(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    assert print_of(frame) != print_of(frame.assign(a=[1, 3]))


def test_the_parquet_file_of_a_frame_holds_what_the_frame_holds(tmp_path):
    frame = pd.DataFrame(
        {
            "ward": ["2.1", "2.10", "3"],
            "age": ["61", "62.5", None],
            "code": pd.Series([1, 2, 3]).astype("category"),
            "seen": [MOMENT, None, MOMENT],
            "glucose": ["5.2 mg/L", "6.1 mg/L", "7 mg/L"],
        }
    )
    (tmp_path / "a.parquet").write_bytes(given_table(frame).parquet())
    kept, back = pl.read_parquet(BytesIO(given_table(frame).parquet())), read_table(tmp_path / "a.parquet").frame
    assert kept["ward"].to_list() == ["2.1", "2.10", "3"]
    assert back.drop("ward").equals(typed(frame).drop("ward"))


def test_names_that_are_patterns_are_read():
    cells = given_table({"*": ["a", "b"], "^.*$": [1.5, None]}).typed(CellReading(), Path())
    assert cells.frame.to_dict(as_series=False) == {"column_1": ["a", "b"], "column_2": [1.5, None]}


@pytest.mark.parametrize(
    "frame", [pd.DataFrame({"\ud800": [1]}), pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)})]
)
def test_half_a_character_of_a_frame_is_refused(frame):
    with pytest.raises(CohortError, match="half a character"):
        given_table(frame)
