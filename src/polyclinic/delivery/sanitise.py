"""Markup that an input made of a record, without anything that could run, load or break the page."""

from html.parser import HTMLParser
from typing import final

from polyclinic.delivery.markup import Child, Element, element, join

_TAGS = frozenset({"p", "div", "span", "mark", "sup", "sub", "b", "small", "br", "table", "tbody", "tr", "th", "td"})
_ATTRIBUTES = frozenset({"class", "title"})


@final
class _Sanitiser(HTMLParser):
    """Writes known elements again and every other one as the text that stands in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[tuple[str, dict[str, str], list[Child]]] = [("", {}, [])]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.stack[-1][2].append(element("br"))
        elif tag in _TAGS:
            self.stack.append((tag, {name: value or "" for name, value in attrs if name in _ATTRIBUTES}, []))

    def handle_endtag(self, tag: str) -> None:
        if tag in [opened for opened, _, _ in self.stack]:
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.stack[-1][2].append(data)

    def _close(self) -> str:
        tag, attributes, children = self.stack.pop()
        named = {f"{name}_": value for name, value in attributes.items()}
        self.stack[-1][2].append(element(tag, *children, **named))
        return tag

    def whole(self) -> Element:
        while len(self.stack) > 1:
            self._close()
        return join(*self.stack[0][2])


def sanitise(markup: bytes) -> Element:
    """The same words and marks in elements of ours; no style, link, picture or script comes through.

    Example:
        >>> from polyclinic.delivery.markup import render
        >>> render(sanitise(b'<p onclick="x()">a <mark class="right">b</mark><img src=x></p>'))
        '<p>a <mark class="right">b</mark></p>'
    """
    sanitiser = _Sanitiser()
    sanitiser.feed(markup.decode("utf-8", "replace"))
    sanitiser.close()
    return sanitiser.whole()
