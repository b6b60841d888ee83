import pytest

from polyclinic.cohort.alike_words import alike_words


@pytest.mark.parametrize(
    ("one", "other"),
    [("P0", "p0"), ("Mu\u0308ller", "M\u00fcller"), ("\uff11\uff12", "12"), ("P7\u200b", "P7"), ("a  b", "a b")],
)
def test_words_that_differ_only_in_how_they_are_typed(one: str, other: str) -> None:
    assert alike_words([one, other, "elsewhere"]) == {one, other}


def test_different_words_are_different() -> None:
    assert alike_words(["P0", "P1", "M\u00fcller", "Muller"]) == set()
