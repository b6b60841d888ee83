"""Classes that have an order, such as stages and grades: which is the least and which the most."""

import re
from collections.abc import Callable, Mapping, Sequence

from polyclinic.cohort.field_words import Tokens, is_called, mentions, orders, tokens

_FEWEST = 3
"""Two classes have no order to speak of."""

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}

_LETTERED = re.compile(
    r"(?:g|t|n|f|cin|c?stage|grade|grad|stadium|stade|estadio|birads|pirads|class|level|kl|asa|nyha|ecog|type)?\s*([0-9])\s*([a-d]?)\+?"
)
_PLAIN_GRADE = re.compile(
    r"(?:g|t|n|f|cin|stage|grade|grad|stadium|stade|estadio|birads|pirads|asa|nyha|ecog)\s*[0-9]\s*[a-d]?|[0-9]\+"
)
_STAGE = re.compile(
    r"(?:stage|grade|grad|stadium|stade|estadio|class|level|asa|nyha)?\s*(vi|iv|v|i{1,3})\s*([a-d]?)(?:[0-9])?"
)


def order_of(name: str, classes: Sequence[str]) -> tuple[str, ...] | None:
    """The classes of an outcome from the least to the most, if they are grades; None where nothing says so.

    Words such as mild and severe, stages in Roman numbers and grades such as G2 say it by themselves. Plain numbers and
    letters say it only in a column that is called a scale, such as an mRS or a Child-Pugh class.

    Args:
        name: Of the column.
        classes: Its distinct values.

    Example:
        >>> order_of("tumour", ["G3", "G1", "G2"])
        ('G1', 'G2', 'G3')
        >>> order_of("ward", ["A", "B", "C"]) is None
        True
    """
    if len(classes) < _FEWEST:
        return None
    written = {one: " ".join(tokens(one)) for one in classes}
    scale = is_scale(name)
    readings: list[Callable[[str], tuple[int, str] | None]] = [_roman, _grade if not scale else _on_scale]
    for read in readings:
        ranks = {one: read(text) for one, text in written.items()}
        found = _ascending(ranks)
        if found is not None:
            return found
    return _in_words(written)


def is_scale(name: str) -> bool:
    """Whether a name is that of a scale: stage, grade, mRS, ASA, NYHA, Likert and the like."""
    return is_called(name, "scale") or mentions(name, "scale")


def _roman(text: str) -> tuple[int, str] | None:
    found = _STAGE.fullmatch(text)
    return None if found is None else (_ROMAN[found[1]], found[2])


def _grade(text: str) -> tuple[int, str] | None:
    return _on_scale(text) if _PLAIN_GRADE.fullmatch(text) else None


def _on_scale(text: str) -> tuple[int, str] | None:
    """Numbers, with a letter behind or what they count before; single letters in their own order."""
    found = _LETTERED.fullmatch(text)
    if found is not None:
        return (int(found[1]), found[2])
    return (ord(text), "") if re.fullmatch(r"[a-f]", text) else None


def _ascending(ranks: Mapping[str, tuple[int, str] | None]) -> tuple[str, ...] | None:
    known = {one: rank for one, rank in ranks.items() if rank is not None}
    if len(known) < len(ranks) or len(set(known.values())) < len(known):
        return None
    return tuple(sorted(known, key=lambda one: known[one]))


def _in_words(written: Mapping[str, str]) -> tuple[str, ...] | None:
    """Words of one and the same list of grades, such as mild, moderate, severe."""
    said: dict[str, Tokens] = {one: tuple(text.split()) for one, text in written.items()}
    for words in orders():
        if set(said.values()) <= set(words):
            return tuple(sorted(said, key=lambda one: words.index(said[one])))
    return None
