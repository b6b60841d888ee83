import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.errors import CohortError, Severity
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.tables.csv import Csv
from polyclinic.formats.tables.tsv import Tsv


def rows(text: str, suffix: str = ".csv") -> list[tuple[str | None, ...]]:
    return (Tsv() if suffix == ".tsv" else Csv()).parse(text, "cohort.csv", TableReading()).frame.rows()


@pytest.mark.parametrize("text", ["", "\n\n", "  \n"])
def test_an_empty_table_is_refused(text: str) -> None:
    with pytest.raises(CohortError, match="the file is empty"):
        rows(text)


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_header_alone_is_refused(text: str) -> None:
    with pytest.raises(CohortError, match="a header and nothing else"):
        rows(text)


def test_ragged_rows_are_named() -> None:
    with pytest.raises(CohortError) as error:
        rows("a,b\n1,2\n1\n\n1,2,3\n1,2\n")
    (finding,) = error.value.findings
    assert finding.name == "ragged_rows"
    assert finding.rows == (2, 3)
    assert "between 1 and 3 in 2 rows" in finding.found


def test_a_duplicate_header_is_named() -> None:
    with pytest.raises(CohortError, match=r"these stand twice or more: age, sex \(columns 1, 2, 4, 5\)"):
        rows("age,sex,b,age,sex\n1,2,3,4,5\n")


def test_names_without_letters_get_a_number_and_a_note() -> None:
    strings = Csv().parse(",a\n1,2\n", "cohort.csv", TableReading())
    assert strings.frame.columns == ["column_1", "a"]
    assert [note.severity for note in strings.notes] == [Severity.NOTE]


def test_a_table_without_a_header_is_doubted() -> None:
    strings = Csv().parse("54,1\n61,0\n", "cohort.csv", TableReading())
    assert [note.name for note in strings.notes] == ["numbers_as_header"]


def test_quoted_cells_may_hold_anything() -> None:
    text = 'a,b\n"1, 2","line\nbreak"\n"say ""ah""",x\n'
    assert rows(text) == [("1, 2", "line\nbreak"), ('say "ah"', "x")]


@pytest.mark.parametrize("text", ['a,b\n"1,2\n3,4\n', 'a,b\n1,x"y\n2,z"w\n', 'a",b\n1,"2\n'])
def test_a_lone_quotation_mark_is_refused(text: str) -> None:
    with pytest.raises(CohortError, match="quotation mark"):
        rows(text)


def test_tabs_and_semicolons_divide_where_the_header_says_so() -> None:
    assert rows("a;b\n1,5;2\n") == [("1,5", "2")]
    assert rows("a\tb\n1,5\t2\n") == [("1,5", "2")]
    assert rows("a,x\tb\n1\t2\n", ".tsv") == [("1", "2")]


def test_one_column_is_a_table() -> None:
    assert rows("a\n1\n2\n") == [("1",), ("2",)]


CELL = st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from('",\n '), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_what_is_written_is_read(table: list[tuple[str, str]]) -> None:
    quoted = ["{},{}".format(*(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row)) for row in table]
    read = rows("one,two\n" + "\n".join(quoted) + "\n")
    assert [tuple(cell or "" for cell in row) for row in read] == table
