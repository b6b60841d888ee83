"""What the sections of the report are built of: a section, a figure with its words, a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from polyclinic.delivery.markup import EMPTY, Child, Element, element, join


@dataclass(frozen=True)
class ReportSection:
    """A chapter of the report.

    Attributes:
        anchor: Where links lead; the card points here.
        title: Heading.
        body: Markup; an empty one leaves the whole section out.
        level: 1 = a chapter; 2 = a part of one.
    """

    anchor: str
    title: str
    body: Element
    level: int = 1


def chapter(section: ReportSection) -> Element:
    """A section with its heading."""
    heading = element("h2" if section.level == 1 else "h3", section.title) if section.title else None
    return element("section", heading, section.body, id=section.anchor, class_=f"level-{section.level}")


def figure(title: str, drawing: Element, words: str = "", css: str = "") -> Element:
    """A drawing between its title and a sentence on how to read it."""
    caption = element("figcaption", element("strong", title))
    note = element("p", words, class_="how") if words else None
    return element("figure", caption, drawing, note, class_=f"card {css}".strip())


def grid(*cells: Element) -> Element:
    """Figures side by side, one above the other on a narrow screen."""
    filled = [cell for cell in cells if cell]
    return element("div", *filled, class_="figures") if filled else EMPTY


def table(head: Sequence[Child], rows: Iterable[Sequence[Child]], css: str = "", numeric_from: int = 1) -> Element:
    """A table that scrolls within itself when the screen is too narrow; columns from ``numeric_from`` align right."""
    top = element(
        "tr", *(element("th", cell, class_=_side(n, numeric_from), scope="col") for n, cell in enumerate(head))
    )
    body = (
        element("tr", *(element("td", cell, class_=_side(n, numeric_from)) for n, cell in enumerate(row)))
        for row in rows
    )
    whole = element("table", element("thead", top), element("tbody", *body), class_=css or None)
    return element("div", whole, class_="scroll")


def note(words: str) -> Element:
    """A quiet sentence."""
    return element("p", words, class_="how")


def facts(pairs: Iterable[tuple[Child, Child]]) -> Element:
    """Names and what they are; empty ones are left out."""
    return element(
        "dl", *(join(element("dt", name), element("dd", value)) for name, value in pairs if value), class_="facts"
    )


def _side(column: int, numeric_from: int) -> str | None:
    return "number" if column >= numeric_from else None
