"""Words by which names of columns and cells are recognised, in several languages. The lists stand in the file beside.

Lists, not models: whoever wonders why a column was taken for a patient finds the word, and may add one.
"""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

Tokens = tuple[str, ...]

_CHINESE = re.compile(r"[㐀-鿿]")
_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")


@cache
def tokens(name: str) -> Tokens:
    """The words of a name: small letters, without accents, cut at signs and where a capital begins.

    Example:
        >>> tokens("OverallSurvival (Months)")
        ('overall', 'survival', 'months')
        >>> tokens("Nº-Patienté #")
        ('no', 'patiente', 'no')
    """
    cut = _BOUNDARY.sub(" ", unicodedata.normalize("NFKC", name).replace("#", " no ").replace("°", " "))
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", cut) if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W_]+", bare.casefold()))


def is_called(name: str, *lists: str) -> bool:
    """Whether the whole name is an entry of one of the lists."""
    return tokens(name) in _entries(*lists)


def mentions(name: str, *lists: str) -> bool:
    """Whether an entry of one of the lists occurs in the name: as whole words, or in Chinese anywhere."""
    words, entries = tokens(name), _entries(*lists)
    longest = max(map(len, entries), default=0)
    pieces = (words[i:j] for i in range(len(words)) for j in range(i + 1, min(len(words), i + longest) + 1))
    return any(piece in entries for piece in pieces) or _in_chinese("".join(words), entries)


def consists_of(name: str, *lists: str) -> bool:
    """Whether every word of the name is an entry of one of the lists."""
    entries = _entries(*lists)
    words = tokens(name)
    return bool(words) and all((word,) in entries or _only_chinese(word, entries) for word in words)


@cache
def orders() -> tuple[tuple[Tokens, ...], ...]:
    """Words of grades, each list from the least to the most."""
    listed: list[list[str]] = _file()["orders"]
    return tuple(tuple(tokens(word) for word in words) for words in listed)


@cache
def _entries(*lists: str) -> frozenset[Tokens]:
    words: list[str] = [word for name in lists for word in _file()[name]]
    return frozenset((word,) if _is_sign(word) else tokens(word) for word in words)


@cache
def _file() -> dict[str, Any]:
    text = files("polyclinic.cohort").joinpath("field_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _is_sign(word: str) -> bool:
    """Whether an entry is a sign, such as "+", of which no word would be left."""
    return not re.search(r"\w", word)


def _in_chinese(text: str, entries: frozenset[Tokens]) -> bool:
    return bool(_CHINESE.search(text)) and any(
        _CHINESE.search(entry[0]) is not None and entry[0] in text for entry in entries if entry
    )


def _only_chinese(word: str, entries: frozenset[Tokens]) -> bool:
    """Whether nothing is left of a Chinese word once the entries are taken out."""
    if not _CHINESE.search(word):
        return False
    for entry in sorted((entry[0] for entry in entries if entry), key=len, reverse=True):
        if _CHINESE.search(entry):
            word = word.replace(entry, "")
    return not word
