"""Nothing that an input says of its records goes untranslated."""

import ast
import re
from pathlib import Path

import pytest

import polyclinic
from polyclinic.delivery.chinese import CHINESE
from polyclinic.delivery.chinese_findings import CHINESE_FINDINGS
from polyclinic.delivery.chinese_inputs import CHINESE_INPUTS
from polyclinic.delivery.words import Words
from polyclinic.translations.phrase import Phrase

SOURCE = Path(polyclinic.__file__).parent
ACCEPT = Path(__file__).parents[3] / "docs" / "how-to" / "accept.md"
PLACE = re.compile(r"{(\w+)[^}]*}")


def phrases() -> list[str]:
    """Every phrase that stands in the source as it is."""
    calls = [
        node
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Phrase"
    ]
    first = [call.args[0] for call in calls]
    return [str(one.value) for one in first if isinstance(one, ast.Constant)]


def test_there_are_phrases_to_look_at() -> None:
    assert len(phrases()) > 20


@pytest.mark.parametrize("template", phrases())
def test_every_phrase_is_translated_with_the_same_values(template: str) -> None:
    chinese = {**CHINESE, **CHINESE_INPUTS}[template]
    assert set(PLACE.findall(chinese)) == set(PLACE.findall(template))
    assert not re.search("[a-z]{3}", PLACE.sub("", chinese).replace("Transformer", ""))


def test_values_are_translated_too_and_foreign_words_stay() -> None:
    say = Words("zh")
    assert say.told(Phrase("{name}: {words}", name="film", words=Phrase("grey"))) == "film：灰度"
    assert say.told(Phrase("a sentence of another package")) == "a sentence of another package"
    assert Words("en").told(Phrase("{n} of {all} genes", n=1, all=2)) == "1 of 2 genes"


def test_every_refusal_that_can_be_accepted_has_a_meaning_in_chinese() -> None:
    names = re.findall(r"^\| `(\w+)`", ACCEPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 5
    assert set(names) <= set(CHINESE_FINDINGS)
