"""Report and card of every form are whole in every language, and a language that nobody here speaks needs one file."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polyclinic.delivery.card import card
from polyclinic.delivery.checklist import CLAIM, SOURCES, TRIPOD
from polyclinic.delivery.markdown import render_markdown
from polyclinic.delivery.markup import Choice, Element, element, join, render
from polyclinic.delivery.material import Material
from polyclinic.delivery.report import report
from polyclinic.translations import language as languages_module
from polyclinic.translations.language import Language, languages, read_language
from polyclinic.translations.phrase import Phrase

FORMS = ("binary", "multiclass", "multilabel", "value", "survival", "mask", "boxes", "cells", "spans", "relations")
FOREIGN = [name for name in languages() if name != "en"]
Make = Callable[..., Material]


def phrases(node: object) -> Iterator[Phrase]:
    """Every phrase of a page or of a line, those among the values of another phrase too."""
    if isinstance(node, Element):
        for child in (*node.children, *node.attributes.values()):
            yield from phrases(child)
    elif isinstance(node, Choice):  # a meaning that is lacking falls back to the words of the program
        yield from (*phrases(node.known), *phrases(node.unknown))
    elif isinstance(node, Phrase):
        yield node
        for value in node.values.values():
            yield from phrases(value)


def lacking(found: Iterator[Phrase], language: Language) -> set[str]:
    with_words = {one.template for one in found if re.search("[A-Za-z]", re.sub(r"{[^}]*}", "", one.template))}
    return with_words - set(language.translations)


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("form", FORMS)
def test_every_page_is_whole_in_every_language(material: Make, form: str, language: str) -> None:
    made = material(form)
    page, lines = report(made), join(*card(made))
    assert len(list(phrases(page))) > 100
    assert lacking(phrases(page), read_language(language)) == set()
    assert lacking(phrases(lines), read_language(language)) == set()


def test_a_phrase_that_nobody_translated_is_noticed() -> None:
    page = element("p", Phrase("Training"), title=Phrase("{name} ({unit})", name=Phrase("a new one"), unit="mm"))
    assert lacking(phrases(page), read_language("zh")) == {"a new one"}
    assert render(page, read_language("zh")) == '<p title="a new one (mm)">训练</p>'


@pytest.mark.parametrize("language", FOREIGN)
def test_every_item_of_a_guideline_is_translated(language: str) -> None:
    known = read_language(language)
    texts = {text for item in (*TRIPOD, *CLAIM) for text in (item.asked, item.left) if text}
    assert {text for text in texts if not known.knows(Phrase(text))} == set()
    assert lacking(phrases(join(*(source.where for source in SOURCES.values()))), known) == set()


def test_a_third_language_is_one_file(material: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = '[page]\nen = "tlh"\nTraining = "qeqmeH"\n"{n} rows" = "mIw {n}"\nAUROC = "pov"\n'
    table += 'Patients = "ropyaH & Sons"\n'
    (tmp_path / "tlh.toml").write_text(table, encoding="utf-8")
    monkeypatch.setattr(languages_module, "FOLDER", tmp_path)
    made = material("binary", language="tlh")
    language = read_language(made.study.study.language)
    page = render(report(made), language)
    assert '<html lang="tlh">' in page
    assert "<h2>qeqmeH</h2>" in page
    assert "<h2>ropyaH &amp; Sons</h2>" in page
    assert "mIw 171" in page
    assert "How it was made" in page  # what the file lacks stays English
    assert "| pov | 0.962 (0.942 to 0.982) |" in render_markdown(card(made), language)


def test_a_meaning_comes_before_the_words_of_the_program_only_where_there_is_one() -> None:
    choice = Choice(Phrase("empty_column"), element("b", Phrase("empty_column")), element("i", "all empty"))
    assert render(choice) == "<i>all empty</i>"
    assert render(choice, read_language("zh")) == "<b>有列全部缺失。</b>"
