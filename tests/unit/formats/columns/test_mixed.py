import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.mixed import as_displayed, mixed_cells

DAY, MOMENT = dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 8, 30)


@pytest.mark.parametrize(
    ("cells", "kind", "found"),
    [
        (["007", None, "12E3"], pl.String, ["007", None, "12E3"]),
        ([1, None, 3], pl.Int64, [1, None, 3]),
        ([1, 2.5, Decimal("3.25")], pl.Float64, [1.0, 2.5, 3.25]),
        ([True, None], pl.Boolean, [True, None]),
        ([DAY, None], pl.Date, [DAY, None]),
        ([DAY, MOMENT], pl.Datetime("us"), [dt.datetime(2020, 1, 31), MOMENT]),
        ([MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=2)))], pl.Datetime("us"), [MOMENT.replace(hour=6)]),
        ([2**64, 1], pl.String, ["18446744073709551616", "1"]),
    ],
)
def test_a_column_of_one_type_is_declared(cells, kind, found):
    read = mixed_cells({"x": cells}, "a.xlsx")
    assert read.declared == {"x"}
    assert read.frame.schema == {"x": kind}
    assert read.frame["x"].to_list() == found


@pytest.mark.parametrize("cells", [[12.0, "NA", 12.5], [None, None], [True, 1]])
def test_a_column_of_several_types_is_text_to_be_typed_later(cells):
    read = mixed_cells({"x": cells}, "a.xlsx")
    assert read.declared == set()
    assert read.frame["x"].to_list() == [as_displayed(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        *((12.0, "12"), (12.5, "12.5"), (True, "true"), (dt.datetime(2020, 1, 31), "2020-01-31"), (None, None)),
        *((MOMENT, "2020-01-31 08:30:00"), (dt.time(10, 30), "10:30:00"), (1e300, "1e+300"), ("x", "x")),
    ],
)
def test_a_cell_is_the_text_that_is_displayed(cell, shown):
    assert as_displayed(cell) == shown


def test_lists_and_records_are_refused_by_column_and_row():
    with pytest.raises(CohortError) as refused:
        mixed_cells({"id": [1, 2], "labs": [None, {"crp": 5}], "codes": [["a"], []]}, "a.jsonl")
    assert [finding.place for finding in refused.value.findings] == [f'a.jsonl column "{n}"' for n in ("labs", "codes")]
    assert [finding.rows for finding in refused.value.findings] == [(2,), (1, 2)]


def test_bytes_are_left_out_and_told():
    read = mixed_cells({"id": [1], "photo": [b"\x00"]}, "a.sqlite")
    assert read.frame.columns == ["id"]
    assert [note.name for note in read.notes] == ["binary_column"]


@pytest.mark.parametrize("kind", [int, Decimal])
def test_long_identifiers_beside_numbers_keep_every_digit(kind):
    ids = [kind(10**18), kind(10**18 + 1), None]
    assert mixed_cells({"x": ids}, "t").frame["x"].to_list() == [10**18, 10**18 + 1, None]
    assert mixed_cells({"x": [*ids, 1.5]}, "t").frame["x"].to_list() == [str(10**18), str(10**18 + 1), None, "1.5"]


def test_half_a_character_is_refused_with_its_rows():
    with pytest.raises(CohortError) as refused:
        mixed_cells({"a": ["x", "\ud800", None], "\u75c5": ["\U0001f600", "\u00e9", "1"]}, "t.json")
    [finding] = refused.value.findings
    assert (finding.name, finding.rows) == ("half_character", (2,))
    with pytest.raises(CohortError, match="column 2"):
        mixed_cells({"a": [1], "\udfff": [1]}, "t.json")
