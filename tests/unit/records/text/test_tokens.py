from pathlib import Path

import numpy as np
import pytest

from polyclinic.records.text import spelling
from polyclinic.records.text.markup import shaded_markup, spans_markup
from polyclinic.records.text.texts import Texts
from polyclinic.records.text.tokens import cover, cut, language_of

TEXTS = (
    "IL-2 and 5HT rose, 3.5mg/day (p<0.05).",
    "患者12天前因“子宫内膜复杂性增生”行CT检查, er(+)。",
    "Naïve β-blocker — 😀👨‍👩‍👧 µg\tαβ",
    "𠀀㐀 in GB18030 四字节",
    "",
    "   \n\t ",
)


def words(text, manner="word"):
    return [text[a:b] for a, b in cut(text, manner).tolist()]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("manner", ["word", "character"])
def test_tokens_are_stretches_of_the_text_and_leave_out_white_space_only(text, manner):
    offsets = cut(text, manner)
    assert (offsets[:, 0] < offsets[:, 1]).all()
    assert (offsets[1:, 0] >= offsets[:-1, 1]).all()
    assert "".join(words(text, manner)) == "".join(text.split())


def test_words_numbers_signs():
    assert words(TEXTS[0])[:8] == ["IL", "-", "2", "and", "5", "HT", "rose", ","]
    assert words(TEXTS[1])[:6] == ["患", "者", "12", "天", "前", "因"]
    assert words("CT检查", "character") == ["C", "T", "检", "查"]


def test_gb18030_bytes_come_back_at_the_same_places():
    text = TEXTS[3].encode("gb18030").decode("gb18030")
    np.testing.assert_array_equal(cut(text, "word"), cut(TEXTS[3], "word"))
    assert words(text)[:2] == ["𠀀", "㐀"]


def test_a_hundred_thousand_characters():
    text = "Asthma 高血压, " * 10_000
    offsets = cut(text, "word")
    assert len(offsets) == 50_000
    assert text[slice(*offsets[-2])] == "压"


def test_language():
    assert language_of(["Chest pain since Monday"]) == "en"
    assert language_of([TEXTS[1]]) == "zh"
    assert language_of([]) == "en"


def test_tokens_that_a_stretch_touches():
    offsets = cut("heart failure today", "word")
    assert cover(offsets, 0, 13) == (0, 2)
    assert cover(offsets, 2, 3) == (0, 1)
    assert cover(offsets, 5, 6) == (1, 1)


def test_pieces_of_a_word_are_the_same_on_every_machine():
    assert spelling.pieces("Aspirin")[0] == spelling.pieces("ASPIRIN")[0] == 2799605876216327783
    assert spelling.pieces("Aspirin")[1] != spelling.pieces("ASPIRIN")[1]
    assert spelling.shape("Aspirin") == "Xxx"
    assert spelling.shape("MPTP") == "XX"
    assert spelling.pieces("12")[3] == spelling.pieces("99")[3]
    assert (spelling.pieces("症") > 0).sum() == 3


def test_the_lexicon_is_what_comes_often():
    marks = [np.array([5, 5, 9]), np.array([9, 7, 0, 0, 0])]
    lexicon = spelling.frequent(marks, 2, 10)
    assert lexicon.tolist() == [5, 9]
    assert spelling.number(np.array([[9, 7, 0]]), lexicon).tolist() == [[2, 0, 0]]
    assert spelling.frequent(marks, 1, 1).tolist() == [5]
    assert spelling.number(np.array([1]), spelling.frequent([], 1, 9)).tolist() == [0]


def test_neighbours_tell_left_from_right():
    around = spelling.neighbours(["a", "b", "a"])
    assert around.shape == (3, spelling.NEIGHBOURS)
    assert around[0, 1] != around[2, 0]
    assert spelling.neighbours([]).shape == (0, spelling.NEIGHBOURS)


def texts(*cells: str | None) -> Texts:
    return Texts("note", cells, "cohort.csv", "here", Path(), required=False)


def test_fingerprints_pass_over_case_and_white_space():
    marks = texts("Chest  pain", "chest pain\n", None, "other").fingerprints()
    assert marks[0] == marks[1] != marks[3]
    assert marks[2] == 0


def test_damaged_text_is_told():
    found = texts("fine", "锟斤拷", "caf\ufffd", None, "a\x00b").check()
    assert [(f.name, f.rows) for f in found] == [("damaged_text", (2, 3)), ("control_characters", (5,))]


def test_markup_escapes_and_marks():
    text = "<b>no asthma & gout"
    page = spans_markup(text, ("disease",), np.array([[6, 12, 0]]), np.array([[6, 12, 0], [15, 19, 0]])).decode()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "&amp;" in page
    assert page.count("<mark") == 2
    assert 'title="disease ✓"' in page
    assert 'title="disease ✗"' in page
    offsets = cut(text, "word")
    assert shaded_markup(text, offsets, np.linspace(-1, 1, len(offsets))).count(b"<span") == len(offsets)
    assert b"<span" not in shaded_markup(text, offsets, None)
