import pytest

from polyclinic.formats.columns.cells import (
    LabCell,
    is_infinite,
    is_known_unit,
    is_unknown_word,
    says_unknown,
    split_rest,
    take_apart,
    unit_key,
)


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("5.2", LabCell("", "5.2", 0, "")),
        ("5.2 mg/L", LabCell("", "5.2", 0, "mg/L")),
        ("<1", LabCell("<", "1", 0, "")),
        (">= 1000", LabCell(">", "1000", 0, "")),
        ("\N{LESS-THAN OR EQUAL TO}0,5", LabCell("<", "0,5", 0, "")),
        ("90+", LabCell(">", "90", 0, "")),
        ("2 x10^3", LabCell("", "2", 3, "")),
        ("250 x10^9/L", LabCell("", "250", 0, "x10^9/L")),
        ("7.1 H", LabCell("", "7.1", 0, "H")),
        ("\uff15", LabCell("", "5", 0, "", foreign=True)),
    ],
)
def test_a_cell_in_its_parts(cell: str, parts: LabCell) -> None:
    assert take_apart(cell) == parts


@pytest.mark.parametrize("cell", ["pending", "V57", "12.png", "3.nii.gz", "", "neg"])
def test_what_does_not_begin_with_a_number(cell: str) -> None:
    assert take_apart(cell) is None


def test_units_and_flags() -> None:
    assert split_rest("mg/L", low_flags=False) == ("mg/L", False)
    assert split_rest("mg/L H", low_flags=False) == ("mg/L", True)
    assert split_rest("*", low_flags=False) == ("", True)
    assert split_rest("L", low_flags=True) == ("", True)
    assert split_rest("L", low_flags=False) == ("L", False)
    assert split_rest(":30", low_flags=False) is None
    assert split_rest("/80", low_flags=False) is None


def test_one_unit_in_several_spellings() -> None:
    assert unit_key("\N{MICRO SIGN}mol/l") == unit_key("umol/L") == unit_key("\N{GREEK SMALL LETTER MU}mol / L")
    assert unit_key("mg/L") != unit_key("mg/dL")
    assert is_known_unit("mg/dL")
    assert is_known_unit("%")
    assert not is_known_unit("a")


@pytest.mark.parametrize(
    "cell", ["-", ".", "N/A", "k. A.", "ND", "\u672a\u67e5", "\u4e0d\u8be6", "\N{EM DASH}", "#DIV/0!"]
)
def test_words_for_not_known(cell: str) -> None:
    assert is_unknown_word(cell)
    assert not is_infinite(cell)


def test_infinite_numbers() -> None:
    assert is_infinite("inf")
    assert is_infinite("-Infinity")
    assert not is_unknown_word("inf")
    assert not is_unknown_word("neg")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        *(("unbekannt", True), ("Unknown", True), ("k.A.", True), ("k. A.", True), ("\u672a\u77e5", True)),
        *(("none", False), ("NK", False), ("-", False), (".a", False), ("unknown primary", False), ("T2", False)),
    ],
)
def test_words_that_say_nothing_is_known(word: str, says: bool) -> None:
    assert says_unknown(word) is says
