import polars as pl
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.headers import TableCells, named, plain_names, refuse_duplicates, without_index


def left(**columns: list[object]) -> tuple[list[str], list[str]]:
    """Names of columns and of notes; a column whose name begins with "column_" has none."""
    names = ["" if name.startswith("column_") else name for name in columns]
    cells = without_index(TableCells(pl.DataFrame(columns), declared=frozenset(columns)), names, "a.csv")
    assert cells.declared == set(cells.frame.columns)
    return cells.frame.columns, [note.name for note in cells.notes]


@pytest.mark.parametrize("index", [["0", "1", "2"], [1, 2, 3], [0.0, 1.0, 2.0]])
def test_a_count_of_the_rows_under_no_name_is_left_out(index):
    assert left(column_1=index, age=[1, 2, 3]) == (["age"], ["index_column"])


@pytest.mark.parametrize("other", [["0", "2", "1"], [2, 3, 4], ["a", "b", "c"], [True, False, True]])
def test_what_does_not_count_the_rows_stays(other):
    assert left(column_1=other, age=[1, 2, 3]) == (["column_1", "age"], ["unnamed_column"])


def test_a_count_that_is_not_first_or_has_a_name_stays():
    assert left(age=[5, 6], column_2=[0, 1])[0] == ["age", "column_2"]
    assert left(number=[0, 1], age=[5, 6])[0] == ["number", "age"]


def test_an_empty_column_under_no_name_is_left_out():
    assert left(age=[1, 2], column_2=[None, None], column_3=[" ", None]) == (["age"], ["empty_column"])


def test_one_row_that_says_1_counts_nothing():
    assert left(column_1=[1], age=[5])[0] == ["column_1", "age"]


def test_names_are_made_and_copies_refused():
    assert named(["", "a"], "a.csv") == ["column_1", "a"]
    with pytest.raises(CohortError, match="stand twice"):
        named(["column_2", ""], "a.csv")
    with pytest.raises(CohortError, match=r"a \(columns 1, 2\)"):
        refuse_duplicates(["a", "a"], "a.csv")


def test_what_is_declared_to_be_names_stays_so():
    cells = TableCells(pl.DataFrame({"a": ["1"], "b": ["2"]}), nominal=frozenset({"b"}))
    assert without_index(cells, ["a", "b"], "a.csv").nominal == {"b"}


def test_a_table_of_very_many_nameless_columns_is_looked_at_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    select = pl.DataFrame.select_seq
    monkeypatch.setattr(pl.DataFrame, "select_seq", lambda *given, **named: looks.append(1) or select(*given, **named))
    frame = pl.DataFrame({f"column_{i}": [" ", None] for i in range(1, 20001)})
    assert without_index(TableCells(frame), [""] * 20000, "t.csv").frame.width == 0
    assert len(looks) < 20


def test_a_name_that_polars_takes_for_a_pattern_becomes_a_number_and_that_is_told() -> None:
    frame = pl.DataFrame({"*": [1], "^a$": [2], "^.*$": [3], "column_2": [4], "a": [5]})
    cells = plain_names(TableCells(frame, declared=frozenset({"*", "a"}), nominal=frozenset({"^a$"})), "t.csv")
    assert cells.frame.columns == ["column_1", "column_2_", "column_3", "column_2", "a"]
    assert cells.declared == {"column_1", "a"}
    assert cells.nominal == {"column_2_"}
    assert [(note.name, "column_1, column_2_, column_3" in note.remedy) for note in cells.notes] == [
        ("pattern_name", True)
    ]
    plain = TableCells(pl.DataFrame({"a*b": [1], "^a": [2]}))
    assert plain_names(plain, "t.csv") is plain
