"""Every language knows every phrase, and a language is one file."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import polyclinic
from polyclinic.delivery.metric_names import METRICS
from polyclinic.errors import StudyError
from polyclinic.study.read import parse_study
from polyclinic.translations import language as languages_module
from polyclinic.translations.language import ENGLISH, FOLDER, Language, languages, places, read_language
from polyclinic.translations.phrase import Phrase, joined, sentences

SOURCE = Path(polyclinic.__file__).parent
ACCEPT = Path(__file__).parents[3] / "docs" / "how-to" / "accept.md"
FOREIGN = [name for name in languages() if name != "en"]
MADE = {"{first} {next}", "{first}; {next}", "words", "characters", "absent_image", "absent_text", "absent_volume"}
"""Keys that the source puts together: of ``sentences`` and ``joined``, of a text's unit, of records that are absent."""
ENGLISH_ONLY = {"rule"}
"""Places whose value only English can say, because a document holds it in English."""


@cache
def nodes() -> list[ast.AST]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py")))
    return [node for tree in trees for node in ast.walk(tree)]


def phrases() -> list[str]:
    """Every phrase that stands in the source as it is and has words to translate."""
    calls = (node for node in nodes() if isinstance(node, ast.Call) and ast.unparse(node.func) == "Phrase")
    first = (call.args[0] for call in calls if call.args)
    templates = {str(one.value) for one in first if isinstance(one, ast.Constant)}
    templates |= guideline_words()
    return sorted(template for template in templates if has_words(template))


def guideline_words() -> set[str]:
    """The English of what guidelines ask for and of where it is answered, which stands in a table."""
    table = tomllib.loads((SOURCE / "delivery" / "checklist.toml").read_text(encoding="utf-8"))
    items = [*table["claim"].values(), *table["tripod"].values(), *table["sources"].values()]
    return {item[key] for item in items for key in ("asked", "left", "where", "card") if key in item}


def has_words(template: str) -> bool:
    return any(character.isalpha() for character in re.sub(r"{[^}]*}", "", template))


def test_there_are_phrases_to_look_at() -> None:
    assert len(phrases()) > 200


@pytest.mark.parametrize("name", FOREIGN)
def test_every_phrase_of_the_source_is_translated(name: str) -> None:
    assert [one for one in phrases() if one not in read_language(name).translations] == []


@pytest.mark.parametrize("name", FOREIGN)
def test_every_translation_belongs_to_a_phrase_of_the_source(name: str) -> None:
    """A key that is misspelt, or whose English was changed, translates nothing."""
    written = {node.value for node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    written |= guideline_words()
    written |= {words for metric in METRICS.values() for words in (metric.english, metric.meaning)}
    assert sorted(set(read_language(name).translations) - written - MADE) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_every_key_stands_once_and_its_translation_takes_the_same_values(name: str) -> None:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    keys = re.findall(r'^("(?:[^"\\]|\\.)*"|\w+) = ', text, re.MULTILINE)
    translations = read_language(name).translations
    assert len(keys) == len(set(keys)) == len(translations)
    for english, words in translations.items():
        kept = {place for place in places(english) if place[0] not in ENGLISH_ONLY}
        assert set(places(words)) == kept, english


def test_chinese_is_chinese() -> None:
    known = read_language("zh").translations
    latin = {key for key, words in known.items() if has_words(key) and not re.search(r"[\u4e00-\u9fff]", words)}
    assert {key for key in latin if known[key] != key} == {"en"}
    assert all(len(key) < 20 for key in latin)  # names such as AUROC; never a sentence


def test_every_refusal_that_can_be_accepted_has_a_meaning() -> None:
    names = re.findall(r"^\| `(\w+)`", ACCEPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 5
    for language in map(read_language, FOREIGN):
        assert [name for name in names if not language.knows(Phrase(name))] == []


def test_values_are_translated_too_and_foreign_words_stay() -> None:
    chinese = read_language("zh")
    assert chinese.translate(Phrase("{name}: {words}", name="film", words=Phrase("grey"))) == "film：灰度"
    assert chinese.translate(Phrase("a sentence of another package")) == "a sentence of another package"
    assert ENGLISH.translate(Phrase("{n} rows", n=1)) == "1 rows"


def test_sentences_follow_as_the_language_spaces_them() -> None:
    both = sentences(Phrase("None."), "", Phrase("Value (low to high)."))
    assert both == ENGLISH.translate(both) == "None. Value (low to high)."
    assert read_language("zh").translate(both) == "无。数值（下限 至 上限）。"
    assert (sentences(), joined(by=", "), joined("a", by=", ")) == ("", "", "a")


def test_a_template_without_words_only_puts_in_order() -> None:
    made = Phrase("{value} ({interval})", value="0.9", interval=Phrase("{low} to {high}", low="0.8", high="0.95"))
    assert read_language("zh").translate(made) == "0.9 (0.8 至 0.95)"


def test_what_is_not_ours_is_escaped_and_templates_are_not() -> None:
    made = Phrase("*{name}*{words}", name="a*b", words=Phrase("*"))
    assert ENGLISH.translate(made, lambda words: words.replace("*", "x")) == "*axb**"


def test_english_takes_the_words_of_a_document() -> None:
    made = Phrase("None.").in_english("There is nothing.")
    assert ENGLISH.translate(made) == "There is nothing."
    assert read_language("zh").translate(made) == "无。"


def test_a_language_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages_module, "FOLDER", tmp_path)
    table = '[page]\n"{n} rows" = "{n} linioj"\n"{n} events" = "{m} okazoj"\n"{n} folds" = "{n:d} faldoj"\n'
    (tmp_path / "eo.toml").write_text(table, encoding="utf-8")
    assert languages() == ("en", "eo")
    esperanto = read_language("eo")
    assert esperanto.translate(Phrase("{n} rows", n=3)) == "3 linioj"
    assert esperanto.translate(Phrase("{n} events", n=3)) == "3 events"  # it asks for a value that is not given
    assert esperanto.translate(Phrase("{n} folds", n="3")) == "3 folds"  # it asks for a number where text may stand
    assert esperanto == Language({"{n} rows": "{n} linioj"})


def test_a_language_that_nobody_wrote_is_refused_with_those_that_exist() -> None:
    good = '[study]\nlanguage = "{}"\n[cohort]\ntable = "c.csv"\npatient = "p"\n'
    good += '[inputs.x]\nkind = "tabular"\n[targets.y]\nkind = "classify"\ncolumn = "y"\n'
    assert parse_study(good.format("zh")).study.language == "zh"
    with pytest.raises(StudyError, match=r"en.*zh") as caught:
        parse_study(good.format("zz"))
    assert 'Did you mean "zh"?' in str(caught.value)
