import pytest

from polyclinic.formats.columns.numbers import (
    PLAIN,
    NumberStyle,
    OpenStyle,
    choose_style,
    plain_signs,
    points_may_divide_thousands,
)


def chosen(*numbers: str, decimal: str | None = None, thousands: str | None = None) -> NumberStyle | OpenStyle:
    return choose_style(dict.fromkeys(numbers, 3), decimal, thousands, 0.9)


@pytest.mark.parametrize(
    ("numbers", "style"),
    [
        (("5.2", "4"), PLAIN),
        (("1.234", "2.345"), PLAIN),
        (("5,2", "4"), NumberStyle(",")),
        (("0,123", "1,234"), NumberStyle(",")),
        (("1.234,5", "7"), NumberStyle(",", ".")),
        (("1.234", "5,2"), NumberStyle(",", ".")),
        (("1,234.5", "12"), NumberStyle(".", ",")),
        (("1,234,567", "12"), NumberStyle(".", ",")),
        (("1,234", "5.2"), NumberStyle(".", ",")),
        (("1 234,5", "3"), NumberStyle(",", " ")),
        (("1'234.5", "3"), NumberStyle(".", "'")),
        (("950", "870", "1,234"), NumberStyle(".", ",")),
    ],
)
def test_the_whole_column_tells_how_numbers_are_written(numbers: tuple[str, ...], style: NumberStyle) -> None:
    assert chosen(*numbers) == style


@pytest.mark.parametrize("numbers", [("1,234", "2,345"), ("1,234", "1234"), ("5.2", "5,2")])
def test_what_stays_open_is_no_guess(numbers: tuple[str, ...]) -> None:
    assert isinstance(chosen(*numbers), OpenStyle)


def test_the_study_decides_where_the_column_does_not() -> None:
    assert chosen("1,234", "2,345", decimal=",") == NumberStyle(",")
    assert chosen("1,234", "2,345", decimal=".") == NumberStyle(".", ",")
    assert chosen("1.234", "2.345", decimal=",", thousands=".") == NumberStyle(",", ".")


def test_a_style_reads_its_own_numbers_only() -> None:
    german = NumberStyle(",", ".")
    assert [german.read(cell) for cell in ("1.234,5", "-7", "5,2e3", "1.23")] == [1234.5, -7.0, 5200.0, None]


def test_digits_and_signs_of_other_scripts() -> None:
    assert plain_signs("\N{MINUS SIGN}\uff15\uff0e\uff12") == "-5.2"
    assert plain_signs("1\N{NARROW NO-BREAK SPACE}234") == "1 234"
    assert plain_signs("\u0665\u066b\u0662") == "5.2"


@pytest.mark.parametrize(
    ("numbers", "open_"),
    [
        (("2.144", "2.493", "458", "2.500", "1.619"), True),
        (("45", "120", "350", "1.200", "12.345"), True),
        (("2.144", "2.493", "1.619"), False),  # three decimals everywhere
        (("0.123", "1.250", "458"), False),  # a 0 in front
        (("2.144", "2.5", "458"), False),  # another number of decimals
        (("2.144", "1", "2", "37"), False),  # nothing of hundreds
        (("2.144", "458", "1458"), False),  # a thousand without a point
        (("120.250", "118", "131"), False),  # of one size as they stand
        (("100", "458"), False),
    ],
)
def test_points_may_divide_thousands_only_beside_whole_hundreds(numbers: tuple[str, ...], open_: bool) -> None:
    assert points_may_divide_thousands(numbers) is open_
