import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.text.records import find_records, is_number, records_of


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("id;age\n1;2\n", 0),
        ("Ward 3\nid;age\n1;2\n", 1),
        ("Ward 3;;\n;;\nid;age;sex\n1;2;M\n2;3;F\n", 2),
        ("id;\na;\nb;\n", 0),  # a separator too many, not a title
        (";age\n0;2\n", 0),  # an index column, not a title
        ("id;age;sex\n1\n2;3;M\n", None),  # a short row, not two titles
        ("1;2\n3\n4;5\n", None),
        ("x\n" * 11 + "id;age\n1;2\n", None),
    ],
)
def test_titles_stand_above_the_header_and_short_rows_do_not(text, first):
    content = text.encode()
    assert find_records(content, ";", "a.csv").header(content, ";") == first


def test_signs_between_quotation_marks_divide_nothing():
    records = find_records(b'a,b\n"1,2","3\n4"\n', ",", "a.csv")
    assert records.cells.tolist() == [2, 2]
    assert records_of(b'a,"b\n', ",") is None
    with pytest.raises(CohortError, match="opened and not closed"):
        find_records(b'a,"b\n', ",", "a.csv")


def test_rows_that_end_in_a_separator_are_told_from_rows_with_a_cell_more():
    for text, ends in ((b"a,b\n1,2,\n", True), (b"a,b\n1,2,3\n", False)):
        assert find_records(text, ",", "a.csv").ends_in_separators(text, 2, ",") is ends


def test_a_number_is_one():
    assert is_number("1e3")
    assert not is_number("age")
