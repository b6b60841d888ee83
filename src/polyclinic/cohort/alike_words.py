"""Words that differ in nothing but how they are typed: capitals, accents in one sign or two, blanks, width of signs."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def alike_words(words: Iterable[str]) -> set[str]:
    """All words beside which another one stands that differs only in how it is typed."""
    spelt: dict[str, set[str]] = defaultdict(set)
    for word in words:
        spelt[_typed(word)].add(word)
    return {word for group in spelt.values() if len(group) > 1 for word in group}


def _typed(word: str) -> str:
    """A word without how it was typed."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    seen = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", " ".join(seen.split()))
