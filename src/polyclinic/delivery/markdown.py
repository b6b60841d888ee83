"""Markdown that keeps what a user wrote as text: no links, no markup, no broken tables.

Lines are phrases, whose templates are Markdown of ours; they are translated and escaped once, when they are rendered.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from polyclinic.translations.language import ENGLISH, Language
from polyclinic.translations.phrase import Phrase, joined

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")


class Markdown(str):
    """Markdown of ours that is shown as it is. Plain ``str`` is text and gets escaped."""

    __slots__ = ()


def render_markdown(lines: Iterable[str], language: Language = ENGLISH) -> str:
    """The lines in a language."""
    return "\n".join(language.translate(line, escaped) for line in lines).rstrip() + "\n"


def escaped(words: str) -> str:
    """Text on one line, with everything escaped that Markdown or HTML would take for markup."""
    if isinstance(words, Markdown):
        return words
    line = " ".join(words.split())
    html_safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", html_safe)


def code(words: str) -> Markdown:
    """Text as code; back-ticks and line breaks of the user cannot end it early."""
    line = " ".join(words.split()).replace("`", "'")
    return Markdown(f"`{line}`" if line else "")


def heading(words: str, level: int = 2) -> Iterator[str]:
    """A heading, and an empty line after it."""
    yield Phrase(f"{'#' * level} {{words}}", words=words)
    yield ""


def pair(name: str, value: str) -> Phrase:
    """What it is about, and what is so."""
    return Phrase("{name}: {value}", name=name, value=value)


def item(words: str) -> Phrase:
    """A line of a list."""
    return Phrase("- {words}", words=words)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, and an empty line after it."""
    for cells in (head, [Markdown("---")] * len(head), *rows):
        yield Phrase("| {cells} |", cells=joined(*cells, by=" | "))
    yield ""
