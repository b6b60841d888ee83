"""Offsets that were counted in another text: they miss the words, and are refused; a few within words are not."""

import pytest

from polyclinic.errors import Severity
from polyclinic.records.text.word_edges import spans_cut_words

TEXT = "Aspirin inhibits COX-1, but not (or hardly) \u80ba\u764c."
WORDS = [(0, 7), (8, 16), (17, 20), (21, 22), (24, 27), (33, 35), (36, 42), (44, 46)]


def moved(by: int) -> list[tuple[int, int]]:
    return [(start + by, end + by) for start, end in WORDS]


def test_spans_of_whole_words_are_in_order() -> None:
    assert spans_cut_words([WORDS, WORDS], [TEXT, TEXT], "here") == []


@pytest.mark.parametrize("by", [1, 2])
def test_offsets_that_are_out_by_a_sign_are_refused_with_their_rows(by: int) -> None:
    [finding] = spans_cut_words([(), moved(by), moved(by), moved(by)], [TEXT, TEXT, None, TEXT], "here")
    assert finding.name == "spans_cut_words"
    assert finding.severity is Severity.REFUSED
    assert finding.rows == (2, 4)
    assert "of 32 ends" in finding.found


def test_a_few_spans_within_words_are_let_be() -> None:
    assert spans_cut_words([WORDS, [(1, 3), (9, 12)]], [TEXT, TEXT], "here") == []


def test_a_handful_of_spans_shows_no_habit() -> None:
    assert spans_cut_words([moved(1)[:4]], [TEXT], "here") == []


def test_rows_without_a_text_do_not_count() -> None:
    assert spans_cut_words([moved(1), moved(1)], [None, None], "here") == []
