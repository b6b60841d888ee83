"""What the sections of the report are built of: a section, a figure with its words, a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from polyclinic.delivery.markup import EMPTY, Child, Element, element, join
from polyclinic.translations.phrase import Phrase


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
    """A table that scrolls within itself when the screen is too narrow; columns from ``numeric_from`` align right.

    Empty cells right behind the first one belong to it, so that the name of a group has room.
    """
    top = element(
        "tr", *(element("th", cell, class_=_side(n, numeric_from), scope="col") for n, cell in enumerate(head))
    )
    body = (element("tr", *_cells(row, numeric_from)) for row in rows)
    whole = element("table", element("thead", top), element("tbody", *body), class_=css or None)
    hint = element("p", Phrase("More to the right"), " \N{RIGHTWARDS ARROW}", class_="hint", aria_hidden="true")
    return element("div", whole, hint, class_="scroll", tabindex=0, role="region", aria_label=Phrase("Table"))


def _cells(row: Sequence[Child], numeric_from: int) -> Iterator[Element]:
    span = 1 + len(list(takewhile(lambda cell: cell == "", row[1:]))) if row[0] else 1
    yield element("td", row[0], class_=_side(0, numeric_from), colspan=span if span > 1 else None)
    for n, cell in enumerate(row[span:], span):
        yield element("td", cell, class_=_side(n, numeric_from))


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
