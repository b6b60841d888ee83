"""Cutting a text into tokens whose places in the text stay known: words and signs, or single characters."""

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np
from jaxtyping import Int

Manner = Literal["word", "character"]
Language = Literal["en", "zh"]

_IDEOGRAPH = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_IDEOGRAPH}]|[^\W\d_{_IDEOGRAPH}]+|\d+|\S")
_CHARACTER = re.compile(r"\S")
_CHINESE = re.compile(rf"[{_IDEOGRAPH}]")
_LETTER = re.compile(r"[^\W\d_]")
_CHINESE_SHARE = 0.2
"""Chinese notes quote Latin names of drugs and genes, English ones hardly an ideograph; a round number between."""


def cut(text: str, manner: Manner) -> Int[np.ndarray, "token 2"]:
    """Where the tokens of a text begin and end, in code points of the text as given.

    "word": runs of letters, runs of digits, and every other sign by itself, so that "IL-2" is three tokens and a span
    may begin or end wherever a clinician would put it. Chinese has no spaces: every ideograph is a token.
    "character": every sign that is no space is a token. White space is in no token. Nothing is changed or left out.
    """
    pattern = _TOKEN if manner == "word" else _CHARACTER
    found = [match.span() for match in pattern.finditer(text)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def language_of(texts: Iterable[str]) -> Language:
    """Chinese if at least a fifth of all letters are; else "en", which stands for any language with spaces."""
    chinese, letters = 0, 0
    for text in texts:
        chinese += len(_CHINESE.findall(text))
        letters += len(_LETTER.findall(text))
    return "zh" if letters and chinese >= _CHINESE_SHARE * letters else "en"


def is_ideograph(sign: str) -> bool:
    """Whether a token is a Chinese character."""
    return _CHINESE.fullmatch(sign) is not None


def cover(offsets: Int[np.ndarray, "token 2"], start: int, end: int) -> tuple[int, int]:
    """The tokens that a stretch of the text touches: the first, and the one after the last.

    A stretch that touches no token gives an empty range.
    """
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left"))
    return first, max(first, last)
