import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.reading import TableReading
from polyclinic.formats.text.layout import find_layout


def separator(text: str, usual: str = ",", **said: object) -> str:
    return find_layout(text, TableReading(**said), "a.csv", usual).separator


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_that_divides_all_rows_alike_is_it(sign):
    assert separator(f"Ward 3\nid{sign}dose\na{sign}x\nb{sign}y\n") == sign


def test_decimal_commas_do_not_divide():
    assert separator("a;b\n1,5;2,5\n3,5;4,5\n") == ";"


def test_what_excel_says_and_what_the_user_says_come_first():
    assert find_layout("sep=;\na,b;c\n1,2;3\n", TableReading(), "a.csv", ",").text == "a,b;c\n1,2;3\n"
    assert separator("sep=;\na,b;c\n1,2;3\n") == ";"
    assert separator("a,b;c\n1,2;3\n", separator=";") == ";"


def test_two_that_fit_are_refused_unless_the_name_of_the_file_promises_one():
    with pytest.raises(CohortError, match=r"semicolon and tab do so.*separator = \";\""):
        separator("a;b\tc\n1;2\t3\n")
    assert separator("a;b\tc\n1;2\t3\n", usual="\t") == "\t"


def test_the_line_of_the_header_is_the_users():
    layout = find_layout("x\ny\n\na|b\n1|2\n", TableReading(header=4), "a.csv", ",")
    assert layout.text == "a|b\n1|2\n"
    with pytest.raises(CohortError, match="line 9 must hold the names"):
        separator("a,b\n1,2\n", header=9)


def test_a_long_table_is_judged_by_its_first_rows():
    assert separator("id;text\n" + "1;plain, plain\n" * 100_000) == ";"
