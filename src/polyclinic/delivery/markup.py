"""HTML and SVG as a tree of elements, which cannot be broken by what a user wrote.

The tree holds phrases of ours and text of the user's; it is translated and escaped once, when it is rendered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from polyclinic.translations.language import ENGLISH, Language
from polyclinic.translations.phrase import Phrase

_VOID = ("br", "img", "meta")
"""Elements of ours that hold nothing and have no end. Source: HTML, section 13.1.2, "Void elements"."""


class Html(str):
    """Markup of ours that is shown as it is. Plain ``str`` is text and gets escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Element:
    """A node of the page.

    Attributes:
        name: Of the tag; "" stands for its children alone.
        children: Elements, phrases and text.
        attributes: Of the tag; None and False leave one out.
    """

    name: str
    children: "tuple[Child, ...]" = ()
    attributes: "Mapping[str, Attribute]" = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to see."""
        return bool(self.name) or any(self.children)


@dataclass(frozen=True)
class Choice:
    """One element for languages that have words of their own for a phrase, another for those that have none."""

    phrase: Phrase
    known: Element
    unknown: Element


Attribute = str | float | int | bool | None
Child = Element | Choice | str | float | int | None

EMPTY = Element("")


def element(name: str, *children: Child, **attributes: Attribute) -> Element:
    """One element. ``class_`` gives ``class``, ``font_size`` gives ``font-size``; None and False leave it out.

    Example:
        >>> render(element("p", "a < b", class_="note"))
        '<p class="note">a &lt; b</p>'
    """
    return Element(name, children, attributes)


def join(*children: Child) -> Element:
    """Children one after another."""
    return Element("", children)


def render(node: Child, language: Language = ENGLISH) -> str:
    """The markup of a tree in a language: phrases are translated, text is escaped, None is nothing."""
    match node:
        case None:
            return ""
        case Choice():
            return render(node.known if language.knows(node.phrase) else node.unknown, language)
        case Element(name, children, attributes):
            inner = "".join(render(child, language) for child in children)
            start = "".join(_attribute(key, value, language) for key, value in attributes.items())
            end = "" if name in _VOID else f"</{name}>"
            return f"<{name}{start}>{inner}{end}" if name else inner
        case Html():
            return node
        case _:
            return escape(_text(node, language), quote=True)


def _attribute(key: str, value: Attribute, language: Language) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.6g}" if isinstance(value, float) else _text(value, language)
    return f' {name}="{escape(text, quote=True)}"'


def _text(value: str | float | int, language: Language) -> str:
    return language.translate(value) if isinstance(value, str) else str(value)
