import pytest

from polyclinic.cohort.alike_words import alike_classes, alike_words
from polyclinic.errors import Severity


@pytest.mark.parametrize(
    ("one", "other"),
    [("P0", "p0"), ("Mu\u0308ller", "M\u00fcller"), ("\uff11\uff12", "12"), ("P7\u200b", "P7"), ("a  b", "a b")],
)
def test_words_that_differ_only_in_how_they_are_typed(one: str, other: str) -> None:
    assert alike_words([one, other, "elsewhere"]) == {one, other}


def test_different_words_are_different() -> None:
    assert alike_words(["P0", "P1", "M\u00fcller", "Muller"]) == set()


def test_alike_classes_are_refused_without_their_names() -> None:
    (finding,) = alike_classes(["ja", "Ja", "nein"], "here")
    assert finding.severity is Severity.REFUSED
    assert finding.found.startswith("2 of 3")
    assert alike_classes(["ja", "nein"], "here") == []
