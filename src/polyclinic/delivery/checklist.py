"""What a reporting guideline asks for, and where this run answers it: items and places stand in the table beside.

No row is ever dropped.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polyclinic.delivery.markdown import Markdown, code
from polyclinic.delivery.material import Material
from polyclinic.translations.phrase import Phrase, joined


@dataclass(frozen=True)
class Source:
    """What in a run answers an item.

    Attributes:
        where: Place in card, report or files; "" = only the authors know.
        key: Of the study file, without which the run does not answer it; "" = none.
    """

    where: str
    key: str = ""

    @classmethod
    def read(
        cls, where: str = "", card: str = "", report: Sequence[str] = (), files: str = "", key: str = ""
    ) -> "Source":
        """As the table has it: a place in words, sections of card and report, or files."""
        places = [
            Phrase(where),
            Phrase("Card, {section}", section=Phrase(card)) if card else "",
            *(Phrase("Report, {section}", section=Phrase(section)) for section in report),
            Phrase("Files: {files}", files=Markdown(files)) if files else "",
        ]
        return cls(joined(*filter(None, places), by="; "), key)


@dataclass(frozen=True)
class Item:
    """One item of a guideline.

    Attributes:
        number: As in the guideline.
        source: What answers it, by its name in the table.
        asked: What is asked.
        left: What the run cannot know even then, for the authors to add; "" = nothing.
    """

    number: str
    source: str
    asked: str
    left: str = ""


@dataclass(frozen=True)
class ItemAnswer:
    """Where an item is answered, as far as it is.

    Attributes:
        where: Place in card, report or files; "" = it is not answered.
        needed: What is still missing; "" = nothing.
    """

    where: str
    needed: str


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

SOURCES = {name: Source.read(**places) for name, places in _TABLE["sources"].items()}
CLAIM = tuple(Item(number, **words) for number, words in _TABLE["claim"].items())
TRIPOD = tuple(Item(number, **words) for number, words in _TABLE["tripod"].items())


def unanswered(material: Material) -> frozenset[str]:
    """What this run does not answer, by its name in the table."""
    study, site = material.study.study, material.study.cohort.site
    grouped = {group.column for target in material.evidence.targets.values() for group in target.subgroups}
    known = {
        "authors": False,
        "title": bool(study.title),
        "use": bool(study.intended_use),
        "dates": material.study.cohort.date is not None,
        "sites": site is not None,
        "by_site": site is not None and bool({site, "site"} & grouped),
        "parts": bool(material.facts.parts),
        "subgroups": bool(grouped),
        "table_one": material.cohort.table_one is not None,
    }
    return frozenset(source for source, answered in known.items() if not answered)


def answer(item: Item, lacking: frozenset[str]) -> ItemAnswer:
    """Where an item is answered, and what is still needed; ``lacking`` is what the run does not answer."""
    source = SOURCES[item.source]
    if item.source not in lacking:
        return ItemAnswer(source.where, Phrase(item.left) if item.left else "")
    return ItemAnswer("", missing_key(source.key) if source.key else Phrase("for the authors to write"))


def missing_key(key: str) -> Phrase:
    """Which key of the study file would answer it."""
    return Phrase("set {key}", key=code(key))
