import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.columns.column_types import type_columns
from polyclinic.formats.columns.reading import CellReading, TableReading
from polyclinic.formats.tables.arff import Arff

HEADER = """% a comment
@RELATION 'heart disease'

@attribute 'age in years' real
@attribute sex { female, 'not told', male }
@ATTRIBUTE "chest pain" {typ_angina, 'a, b', it\\'s}
@attribute note string
@attribute when date 'yyyy-MM-dd'
@data
"""


def test_names_and_values_between_quotation_marks() -> None:
    text = HEADER + "63, female,'a, b','he said, \\'no\\'',2020-01-31\n% between\n\n?,'not told',it\\'s,?,?\n"
    frame = Arff().parse(text, "heart.arff", TableReading()).frame
    assert frame.columns == ["age in years", "sex", "chest pain", "note", "when"]
    assert frame.rows() == [
        ("63", "female", "a, b", "he said, 'no'", "2020-01-31"),
        (None, "not told", "it's", None, None),
    ]


def test_numbers_are_typed_from_the_whole_column() -> None:
    text = "@relation x\n@attribute a integer\n@attribute b {05,10}\n@attribute c {0,1}\n@data\n1,05,1\n?,10,0\n"
    frame = type_columns(Arff().parse(text, "x.arff", TableReading()).frame, CellReading(("",)))
    assert frame.rows() == [(1, "05", 1), (None, "10", 0)]


def test_tabs_divide_too() -> None:
    assert Arff().parse(
        "@attribute a real\n@attribute b real\n@data\n1\t2\n", "x.arff", TableReading()
    ).frame.rows() == [("1", "2")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@attribute a real\n@data\n{0 1}\n", "line 3.*sparse"),
        ("@attribute a relational\n@data\n1\n", "line 1.*relational"),
        ("@attribute a\n@data\n1\n", "line 1.*NAME TYPE"),
        ("@data\n1\n", "no @attribute line"),
        ("@attribute a real\n@data\n% nothing\n", "nothing follows @data"),
        ("@attribute a real\n@attribute a real\n@data\n1,2\n", "stand twice"),
        ("@attribute a real\n@attribute b real\n@data\n1,2\n1\n1,2,3\n", r"2 cells.*\(rows 2, 3\)"),
        ("@attribute a {x,y}\n@data\nx\nz\n?\n", r"nominal attribute.*\(row 2\)"),
    ],
)
def test_what_is_not_dense_arff_is_refused(text: str, words: str) -> None:
    with pytest.raises(CohortError, match=words):
        Arff().parse(text, "x.arff", TableReading())


def test_a_message_holds_no_cell() -> None:
    with pytest.raises(CohortError) as error:
        Arff().parse("@attribute a {x,y}\n@data\nWang\n", "x.arff", TableReading())
    assert "Wang" not in str(error.value)
