"""What a reporting guideline asks for, and where this run answers it. No row is ever dropped.

The words are our own short paraphrases; the item numbers are those of the guidelines.
"""

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


def unanswered(material: Material) -> frozenset[Source]:
    """What this run does not answer."""
    study, site = material.study.study, material.study.cohort.site
    grouped = {group.column for target in material.evidence.targets.values() for group in target.subgroups}
    known = {
        Source.AUTHORS: False,
        Source.TITLE: bool(study.title),
        Source.USE: bool(study.intended_use),
        Source.DATES: material.study.cohort.date is not None,
        Source.SITES: site is not None,
        Source.BY_SITE: site is not None and bool({site, "site"} & grouped),
        Source.PARTS: bool(material.facts.parts),
        Source.SUBGROUPS: bool(grouped),
        Source.TABLE_ONE: material.cohort.table_one is not None,
    }
    return frozenset(source for source, answered in known.items() if not answered)


def answer(item: Item, lacking: frozenset[Source]) -> ItemAnswer:
    """Where an item is answered, and what is still needed; ``lacking`` is what the run does not answer."""
    if item.source not in lacking:
        return ItemAnswer(_WHERE[item.source], Phrase(item.left) if item.left else "")
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


def _card(heading: str) -> Phrase:
    return Phrase("Card, {section}", section=Phrase(heading))


def _report(heading: str) -> Phrase:
    return Phrase("Report, {section}", section=Phrase(heading))


_WHERE: dict[Source, str] = {
    Source.TITLE: Phrase("Card, title"),
    Source.SUMMARY: Phrase("Report, top of the page"),
    Source.USE: _card("Intended use"),
    Source.QUESTION: _card("What is asked"),
    Source.DATA: _card("Data"),
    Source.DATES: _card("Data"),
    Source.SITES: _card("Data"),
    Source.BY_SITE: _report("For whom: subgroups"),
    Source.FLOW: _report("Patients"),
    Source.QUALITY: _report("Findings"),
    Source.PREPARED: _report("How it was made"),
    Source.MISSING: joined(_report("Patients"), _report("How it was made"), by="; "),
    Source.SPLIT: _card("Split"),
    Source.PARTS: _card("Split"),
    Source.MODEL: _card("Model"),
    Source.STARTED_FROM: _card("Model"),
    Source.TRAINING: _report("Training"),
    Source.IMBALANCE: _card("Model"),
    Source.THRESHOLD: _card("Performance"),
    Source.CALIBRATION: _card("Calibration"),
    Source.PERFORMANCE: _report("Performance"),
    Source.UNCERTAINTY: _card("Performance"),
    Source.SUBGROUPS: _report("For whom: subgroups"),
    Source.TABLE_ONE: _report("Patients"),
    Source.MISTAKES: _report("Worst mistakes"),
    Source.LIMITS: _card("Limits"),
    Source.ARTEFACT: Phrase("Files: {files}", files=Markdown("`model/`, `study.toml`")),
    Source.AT_USE: _card("How to use it"),
    Source.SOFTWARE: _card("How to repeat it"),
}
