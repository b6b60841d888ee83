"""`report.html`: the evidence in pictures, in one file that opens offline and prints well."""

from importlib.resources import files

from polyclinic.delivery.markup import Html, element, join
from polyclinic.delivery.material import Material
from polyclinic.delivery.sections.headline import headline
from polyclinic.delivery.sections.making import findings, making, training
from polyclinic.delivery.sections.parts import ReportSection, chapter
from polyclinic.delivery.sections.patients import patients
from polyclinic.delivery.sections.performance import performance


def publish_report(material: Material) -> str:
    """The whole report as one HTML page: no network, no scripts, nothing outside the file."""
    chapters = [section for section in _chapters(material) if section.body]
    body = element(
        "body",
        _contents(chapters, material),
        element("main", headline(material), *(chapter(section) for section in chapters), _foot(material)),
    )
    page = element("html", _head(material), body, lang="zh-CN" if material.say.language == "zh" else "en")
    return f"<!doctype html>\n{page}\n"


def _chapters(material: Material) -> list[ReportSection]:
    targets = [performance(material, name, target) for name, target in material.evidence.targets.items()]
    return [*targets, patients(material), findings(material), training(material), making(material)]


def _head(material: Material) -> Html:
    style = files("polyclinic.delivery").joinpath("report.css").read_text(encoding="utf-8")
    title = material.study.study.title or material.study.study.name
    return element(
        "head",
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        element("title", title),
        element("style", Html(style)),
    )


def _contents(chapters: list[ReportSection], material: Material) -> Html:
    links = [element("li", element("a", section.title, href=f"#{section.anchor}")) for section in chapters]
    mark = element("p", "Polyclinic", class_="mark")
    return element("nav", mark, element("ol", *links), aria_label=material.say("Contents"))


def _foot(material: Material) -> Html:
    say = material.say
    words = say(
        "Made by Polyclinic {version} from the files beside this page. It describes a statistical model on the "
        "patients above; it is not a medical device and replaces no one's judgement.",
        version=material.facts.versions.get("polyclinic", ""),
    )
    return element("footer", element("p", words), join())
