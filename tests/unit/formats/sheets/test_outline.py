import datetime as dt

import pytest

from polyclinic.errors import CohortError, Severity
from polyclinic.formats.sheets.office_zip import SheetMarks
from polyclinic.formats.sheets.outline import sheet_table
from polyclinic.formats.sheets.workbook import Sheet

HEADER, FIRST, SECOND = ["id", "age", "sex"], ["007", 54.0, "M"], ["12E3", 61.0, "F"]
BODY = [HEADER, FIRST, SECOND]
NONE = SheetMarks()


def read(rows, header=None, marks=NONE):
    return sheet_table(Sheet(rows, marks, ()), header, "a.xlsx")


@pytest.mark.parametrize(
    "rows",
    [
        BODY,
        [["Ward 3", None, None], [None] * 3, *BODY],
        [["Ward 3", None, None], ["2020", None, None], *BODY],
        [[None, *row] for row in [[None] * 3, *BODY]],
        [[number, *row] for number, row in zip([None, 0.0, 1.0], BODY, strict=True)],
        [[number, *row] for number, row in zip([None, 1.0, 2.0], BODY, strict=True)],
        [*BODY, [None, " ", None]],
        [[*row, None] for row in BODY],
    ],
)
def test_the_table_is_found_wherever_it_stands(rows):
    cells = read(rows)
    assert cells.frame.columns == HEADER
    assert cells.frame.rows() == [("007", 54, "M"), ("12E3", 61, "F")]
    assert cells.declared == set(HEADER)


def test_two_columns_of_which_one_is_an_index():
    assert read([[None, "age"], [0.0, 54.0], [1.0, 61.0]]).frame.to_dict(as_series=False) == {"age": [54, 61]}


def test_titles_and_index_are_told():
    rows = [["Ward 3", None, None, None], *([number, *row] for number, row in zip([None, 0, 1], BODY, strict=True))]
    assert [note.name for note in read(rows).notes] == ["title_lines", "index_column"]


def test_the_row_of_the_header_is_the_users():
    rows = [["a", "b", "c"], *BODY]
    assert read(rows).frame.columns == ["a", "b", "c"]
    assert read(rows, header=2).frame.columns == HEADER
    with pytest.raises(CohortError, match="must hold a header"):
        read(rows, header=9)


def test_a_column_of_one_type_keeps_it_and_a_mixed_one_is_text_as_displayed():
    day, moment = dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 8)
    rows = [["n", "x", "d", "t", "b", "m"], [12.0, 0.5, day, moment, True, 12.0], [13.0, 2.0, day, moment, False, "NA"]]
    cells = read(rows)
    assert cells.frame.rows() == [(12, 0.5, day, moment, True, "12"), (13, 2.0, day, moment, False, "NA")]
    assert cells.declared == {"n", "x", "d", "t", "b"}


def test_errors_are_not_known_and_told_by_column_and_row():
    rows = [["id", "crp", "age"], ["a", "#N/A", 54.0], ["b", 5.0, None]]
    cells = read(rows, marks=SheetMarks(errors=frozenset({(2, 2)})))
    assert cells.frame["crp"].to_list() == [None, 5]
    told = [note for note in cells.notes if note.name == "error_cells"]
    assert [(note.place, note.rows) for note in told] == [('a.xlsx column "crp"', (1,)), ('a.xlsx column "age"', (2,))]
    assert {note.severity for note in told} == {Severity.WARNING}


def test_what_a_look_does_not_show_is_told():
    notes = read(BODY, marks=SheetMarks(hidden_rows=2, hidden_columns=1, uncounted=3)).notes
    assert [note.name for note in notes] == ["uncounted_formulas", "hidden_cells"]
    assert "3 cells" in notes[0].found
    assert notes[1].found == "2 hidden rows and hidden columns"


def test_numbers_that_are_stored_as_text_stay_text_and_are_told():
    cells = read([["id", "age"], ["1", "54"], ["2", "61"]])
    assert cells.frame["age"].to_list() == ["54", "61"]
    assert cells.declared == {"id", "age"}
    assert [note.name for note in cells.notes] == ["numbers_as_text"]


def test_a_column_twice_is_refused():
    with pytest.raises(CohortError, match="stand twice"):
        read([["a", "a"], [1.0, 2.0]])


def test_a_day_that_a_workbook_counts_as_nothing_is_a_day():
    rows = [["id", "seen"], ["a", dt.time()], ["b", dt.date(2020, 1, 31)]]
    assert read(rows).frame["seen"].to_list() == [dt.datetime(1899, 12, 31), dt.datetime(2020, 1, 31)]
    assert read([["id", "at"], ["a", dt.time(8, 30)]]).frame["at"].to_list() == ["08:30:00"]
