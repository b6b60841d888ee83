import pytest

from polyclinic.formats.columns.column_patterns import left_in, means_none

NAMES = ("age", "AFFX-1", "AFFX-2", "g.1", "gx1", "g*1")


@pytest.mark.parametrize(
    ("leave_out", "left"),
    [
        ((), NAMES),
        (("age",), NAMES[1:]),
        (("AFFX*", "age"), NAMES[3:]),
        (("*1",), ("age", "AFFX-2")),
        (("g.1",), ("age", "AFFX-1", "AFFX-2", "gx1", "g*1")),
        (("AG", "affx*", "ag"), NAMES),
        (("*",), ()),
        (("g*1",), ("age", "AFFX-1", "AFFX-2", "g.1", "gx1")),
        (("g?1",), NAMES),
    ],
)
def test_names_and_patterns_are_left_out(leave_out: tuple[str, ...], left: tuple[str, ...]) -> None:
    assert left_in(NAMES, leave_out) == left


def test_entries_that_mean_nothing_are_named() -> None:
    assert means_none(NAMES, ("aeg", "age", "AFX*", "AFFX*")) == ("aeg", "AFX*")


def test_many_stars_do_not_take_long() -> None:
    """Stars beside each other are one, and a name is short: no pattern of the user hangs a run."""
    assert left_in(("a" * 60,), ("*" * 40 + "b",)) == ("a" * 60,)
