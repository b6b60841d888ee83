"""`report.html`: the evidence in pictures, in one file that opens offline and prints well."""

from collections.abc import Sequence
from importlib.resources import files

from polyclinic.delivery.blocks import ReportSection, chapter
from polyclinic.delivery.markup import Element, Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.sections.headline import headline
from polyclinic.delivery.sections.making import findings, making, training
from polyclinic.delivery.sections.masthead import masthead
from polyclinic.delivery.sections.patients import patients
from polyclinic.delivery.sections.performance import performance
from polyclinic.study.schema import About
from polyclinic.translations.phrase import Phrase

_ONE_LINE = 8
"""Chapters whose names fit one line above the page; more of them scroll away with it, or they would hide the text."""


def report(material: Material) -> Element:
    """The whole report as one HTML page: no network, no scripts, nothing outside the file."""
    study = material.study
    chapters = [section for section in _chapters(material) if section.body]
    top = headline(study.study, material.evidence)
    foot = _foot(material.facts.versions.get("polyclinic", ""))
    main = element("main", top, *map(chapter, chapters), foot, id="content")
    body = element("body", _skip(), masthead(material.cohort, material.facts), _contents(chapters), main)
    page = element("html", _head(study.study), body, lang=Phrase("en"))
    return join(Html("<!doctype html>\n"), page, "\n")


def _chapters(material: Material) -> list[ReportSection]:
    study, evidence, cohort, facts = material.study, material.evidence, material.cohort, material.facts
    several = len(evidence.targets) > 1
    targets = [performance(material.about(name), evidence.resamples, several) for name in evidence.targets]
    return [
        *targets,
        patients(cohort, facts, evidence, study.split.given_columns),
        findings(cohort.findings, study.accept),
        training(facts.fits, study.training),
        making(facts, cohort.fingerprints, study.study.seed, evidence.resamples),
    ]


def _head(study: About) -> Element:
    style = files("polyclinic.delivery").joinpath("report.css").read_text(encoding="utf-8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", study.title or study.name),
        element("style", Html(style)),
    )


def _contents(chapters: Sequence[ReportSection]) -> Element:
    links = [element("li", element("a", section.title, href=f"#{section.anchor}")) for section in chapters]
    mark = element("p", "Polyclinic", class_="mark")
    size = "many" if len(links) > _ONE_LINE else None
    return element("nav", mark, element("ol", *links), aria_label=Phrase("Contents"), class_=size)


def _skip() -> Element:
    """The first stop of the keyboard: past the contents."""
    return element("a", Phrase("Skip to the content"), href="#content", class_="skip")


def _foot(version: str) -> Element:
    words = Phrase(
        "Made by Polyclinic {version} from the files beside this page. It describes a statistical model on the "
        "patients above; it is not a medical device and replaces no one's judgement.",
        version=version,
    )
    return element("footer", element("p", words))
