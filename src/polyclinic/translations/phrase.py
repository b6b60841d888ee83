"""A sentence of ours that is translated later, when a page is rendered, by whoever knows which language is read."""

from collections.abc import Mapping
from functools import reduce
from typing import Self, final


@final
class Phrase(str):
    """English as it stands, with its values in their places; keeps both apart, so that it can be translated.

    Whoever writes a phrase knows no language; ``Language.translate`` looks the template up. A template without words,
    such as "{value} ({interval})", only puts things in order and needs no translation.

    Attributes:
        template: The sentence with named places, the key of every translation.
        values: What stands in the places; a phrase among them is translated too.
        quoted: Whether its English comes from a document in English, and says more than the template.

    Example:
        >>> Phrase("{n} patients, {rows} rows", n=3, rows=4)
        '3 patients, 4 rows'
    """

    template: str
    values: Mapping[str, object]
    quoted: bool

    def __new__(cls, template: str, **values: object) -> Self:
        """Fill in; without values the template is the sentence."""
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template = template
        made.values = values
        made.quoted = False
        return made

    def in_english(self, words: str) -> Self:
        """The same phrase, which English takes word by word from a document."""
        made = super().__new__(type(self), words)
        made.template = self.template
        made.values = self.values
        made.quoted = True
        return made


def joined(*parts: str, by: str) -> str:
    """Phrases, or the user's own words, with ``by`` between them.

    Example:
        >>> joined("age", Phrase("not known"), by="; ")
        'age; not known'
    """
    template = f"{{first}}{by}{{next}}"
    return reduce(lambda before, part: Phrase(template, first=before, next=part), parts) if parts else ""


def sentences(*parts: str) -> str:
    """Sentences one after another, spaced as a language spaces them; empty ones are left out."""
    return joined(*filter(None, parts), by=" ")
