"""The languages that report and card can be read in: English, and one for each TOML file beside this one."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from polyclinic.translations.phrase import Phrase

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """What every phrase of ours is in one language.

    Attributes:
        translations: By the English template. English needs none.
    """

    translations: Mapping[str, str] = field(default_factory=dict)

    def knows(self, phrase: Phrase) -> bool:
        """Whether the phrase has words of its own in this language."""
        return phrase.template in self.translations

    def translate(self, words: str, escape: Callable[[str], str] = str) -> str:
        """A phrase in this language, or in English where it has no translation; the user's own words as they are.

        Args:
            words: A phrase, or text that is nobody's to translate.
            escape: Makes what is not ours, text and values, safe for the page; templates are ours.

        Example:
            >>> chinese = read_language("zh")
            >>> chinese.translate(Phrase("{n} patients, {rows} rows", n=3, rows=4))
            '患者 3 名，4 行'
            >>> chinese.translate("a caption of another package")
            'a caption of another package'
        """
        if not isinstance(words, Phrase) or (words.quoted and not self.knows(words)):
            return escape(words)
        template = self.translations.get(words.template, words.template)
        values = {n: self.translate(v, escape) if isinstance(v, str) else v for n, v in words.values.items()}
        return template.format(**values) if values else template


ENGLISH = Language()


def languages() -> tuple[str, ...]:
    """What a study may ask for: "en", and the name of every file of translations."""
    return tuple(sorted({"en", *(path.stem for path in FOLDER.glob("*.toml"))}))


def read_language(name: str) -> Language:
    """One of ``languages()``. A translation that asks for a value which its English does not give is left out."""
    if name == "en":
        return ENGLISH
    sections = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")).values()
    pairs = [pair for section in sections for pair in section.items()]
    return Language({english: words for english, words in pairs if set(places(words)) <= set(places(english))})


def places(template: str) -> Iterator[tuple[str, str]]:
    """Name and format of each place of a template."""
    for _, name, spec, _ in Formatter().parse(template):
        if name is not None:
            yield name, spec or ""
