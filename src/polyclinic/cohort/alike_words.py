"""Words that differ in nothing but how they are typed: capitals, accents in one sign or two, blanks, width of signs."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable

from polyclinic.errors import Finding, Severity


def alike_words(words: Iterable[str]) -> set[str]:
    """All words beside which another one stands that differs only in how it is typed."""
    spelt: dict[str, set[str]] = defaultdict(set)
    for word in words:
        spelt[_typed(word)].add(word)
    return {word for group in spelt.values() if len(group) > 1 for word in group}


def alike_classes(classes: Collection[str], place: str) -> list[Finding]:
    """The refusal of an outcome whose classes are perhaps one: a model would learn to tell yes from Yes."""
    alike = alike_words(classes)
    if not alike:
        return []
    return [
        Finding(
            name="alike_classes",
            place=place,
            rule="the classes of an outcome must differ in more than how they are typed",
            found=f"{len(alike)} of {len(classes)} differ in capitals, composed accents, blanks or width of signs only",
            remedy="Write each class in one way; if they are different ones, accept alike_classes with the reason.",
            severity=Severity.REFUSED,
        )
    ]


def _typed(word: str) -> str:
    """A word without how it was typed."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    seen = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", " ".join(seen.split()))
