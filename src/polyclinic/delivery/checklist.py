"""What a reporting guideline asks for, and where this run answers it. No row is ever dropped.

The words are our own short paraphrases; the item numbers are those of the guidelines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from polyclinic.delivery.markdown import Markdown, code
from polyclinic.delivery.material import Material
from polyclinic.translations.phrase import Phrase, joined


class Source(Enum):
    """What in a run answers an item."""

    AUTHORS = auto()
    TITLE = auto()
    SUMMARY = auto()
    USE = auto()
    QUESTION = auto()
    DATA = auto()
    DATES = auto()
    SITES = auto()
    BY_SITE = auto()
    FLOW = auto()
    QUALITY = auto()
    PREPARED = auto()
    MISSING = auto()
    SPLIT = auto()
    PARTS = auto()
    MODEL = auto()
    STARTED_FROM = auto()
    TRAINING = auto()
    IMBALANCE = auto()
    THRESHOLD = auto()
    CALIBRATION = auto()
    PERFORMANCE = auto()
    UNCERTAINTY = auto()
    SUBGROUPS = auto()
    TABLE_ONE = auto()
    MISTAKES = auto()
    LIMITS = auto()
    ARTEFACT = auto()
    AT_USE = auto()
    SOFTWARE = auto()


@dataclass(frozen=True)
class Item:
    """One item of a guideline.

    Attributes:
        number: As in the guideline.
        source: What answers it.
        asked: What is asked.
        left: What the run cannot know even then, for the authors to add; "" = nothing.
    """

    number: str
    source: Source
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


def answer(item: Item, material: Material) -> ItemAnswer:
    """Where this run answers an item, and what is still needed."""
    where = _WHERE[item.source](material)
    if where:
        return ItemAnswer(where, Phrase(item.left) if item.left else "")
    key = _KEYS.get(item.source)
    return ItemAnswer("", Phrase("for the authors to write") if key is None else missing_key(key))


def missing_key(key: str) -> Phrase:
    """Which key of the study file would answer it."""
    return Phrase("set {key}", key=code(key))


_KEYS = {
    Source.TITLE: "[study] title",
    Source.USE: "[study] intended_use",
    Source.DATES: "[cohort] date",
    Source.SITES: "[cohort] site",
    Source.BY_SITE: "[cohort] site",
    Source.SUBGROUPS: "[cohort] strata",
}

_Where = Callable[[Material], str]


def _card(heading: str) -> _Where:
    return lambda _: Phrase("Card, {section}", section=Phrase(heading))


def _report(*headings: str) -> _Where:
    parts = [Phrase("Report, {section}", section=Phrase(heading)) for heading in headings]
    return lambda _: joined(*parts, by="; ")


def _when(condition: Callable[[Material], bool], where: _Where) -> _Where:
    return lambda material: where(material) if condition(material) else ""


def _any_subgroup(material: Material) -> bool:
    return any(target.subgroups for target in material.evidence.targets.values())


def _by_site(material: Material) -> bool:
    site = material.study.cohort.site
    columns = {group.column for target in material.evidence.targets.values() for group in target.subgroups}
    return site is not None and bool({site, "site"} & columns)


_WHERE: dict[Source, _Where] = {
    Source.AUTHORS: lambda _: "",
    Source.TITLE: _when(lambda m: bool(m.study.study.title), lambda _: Phrase("Card, title")),
    Source.SUMMARY: lambda _: Phrase("Report, top of the page"),
    Source.USE: _when(lambda m: bool(m.study.study.intended_use), _card("Intended use")),
    Source.QUESTION: _card("What is asked"),
    Source.DATA: _card("Data"),
    Source.DATES: _when(lambda m: m.study.cohort.date is not None, _card("Data")),
    Source.SITES: _when(lambda m: m.study.cohort.site is not None, _card("Data")),
    Source.BY_SITE: _when(_by_site, _report("For whom: subgroups")),
    Source.FLOW: _report("Patients"),
    Source.QUALITY: _report("Findings"),
    Source.PREPARED: _report("How it was made"),
    Source.MISSING: _report("Patients", "How it was made"),
    Source.SPLIT: _card("Split"),
    Source.PARTS: _when(lambda m: bool(m.facts.parts), _card("Split")),
    Source.MODEL: _card("Model"),
    Source.STARTED_FROM: _card("Model"),
    Source.TRAINING: _report("Training"),
    Source.IMBALANCE: _card("Model"),
    Source.THRESHOLD: _card("Performance"),
    Source.CALIBRATION: _card("Calibration"),
    Source.PERFORMANCE: _report("Performance"),
    Source.UNCERTAINTY: _card("Performance"),
    Source.SUBGROUPS: _when(_any_subgroup, _report("For whom: subgroups")),
    Source.TABLE_ONE: _when(lambda m: m.cohort.table_one is not None, _report("Patients")),
    Source.MISTAKES: _report("Worst mistakes"),
    Source.LIMITS: _card("Limits"),
    Source.ARTEFACT: lambda _: Phrase("Files: {files}", files=Markdown("`model/`, `study.toml`")),
    Source.AT_USE: _card("How to use it"),
    Source.SOFTWARE: _card("How to repeat it"),
}
