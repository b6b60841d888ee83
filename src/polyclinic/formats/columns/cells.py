"""Laboratory values as people write them: a limit, a number, a unit, a flag; and the words for "not known"."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from polyclinic.formats.columns.numbers import NUMBER, plain_signs

_WORDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("cell_words.toml").read_text(encoding="utf-8"))
_UNKNOWN_WORDS = frozenset(_WORDS["unknown"])
_UNIT_WORDS = frozenset(_WORDS["units"])

_STATA = re.compile(r"\.[a-z]")
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|1\.#inf|\N{INFINITY})", re.IGNORECASE)
_COINS = "$\N{EURO SIGN}\N{POUND SIGN}\N{YEN SIGN}"
_CELL = re.compile(
    r"(?P<limit><=|>=|=<|=>|<|>|\N{LESS-THAN OR EQUAL TO}|\N{GREATER-THAN OR EQUAL TO}|)\s*"
    rf"(?P<coin>[{_COINS}]?)\s*(?P<number>(?:[+-]\s)?{NUMBER})\s*(?P<rest>[^\d\s].*|10[\^*]+\d.*|)"
)
_MARKED = re.compile(r"""'(?P<text>[^']+)|=?"(?P<quoted>[^"]*)\"""")
"""How spreadsheets mark text: an apostrophe in front, quotation marks, a formula that gives a word."""
_RAISED_DIGITS = "\N{SUPERSCRIPT MINUS}\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_POWER = re.compile(rf"10\s?(?:(?:\^|\*\*)(?P<ascii>[+-]?\d+)|(?P<raised>[{_RAISED_DIGITS}]+))")
_RAISED = str.maketrans(_RAISED_DIGITS, "-0123456789")
_SCIENTIFIC = re.compile(r"[x\N{MULTIPLICATION SIGN}*\N{MIDDLE DOT}]\s*10(?:\^|\*\*)?([+-]?\d+)")
_FLAG = re.compile(
    r"[\[(]?(?:HH|LL|N|H\+|L-|H|\*+|\N{UPWARDS ARROW}+|\N{DOWNWARDS ARROW}+|!+|high|low|hoch|niedrig"
    r"|\u9ad8|\u4f4e|\u504f\u9ad8|\u504f\u4f4e)[\])]?",
    re.IGNORECASE,
)
_SHORT_WORD = re.compile(r"\.?[A-Za-z]{1,4}")
_LITRE_OR_LOW = re.compile(r"[\[(]?L[\])]?")
_MEGA = re.compile(r"M(?:Bq|Hz|Pa|W|J|V)\b")
_RATIO = re.compile(r"(?:[^\W\d_][^/]*|[x*]?\s?10[^/]*|)/[^/]*[^\W\d_][^/]*(?:/[^/]*[^\W\d_][^/]*)?")
_UNIT = re.compile(r"\N{DEGREE SIGN}?[^\W\d_]{1,12}\.?(?:[ -][^\W\d_]{1,12})?")


@dataclass(frozen=True)
class LabCell:
    """A cell that holds a number, taken apart.

    Attributes:
        limit: "<" or ">" where only a limit of the value is known, else "".
        number: The number as written, without its exponent where that is written as x10^3.
        power: The exponent of ten beside the number, such as 3.
        rest: What follows the number: a unit, a flag, or both.
        foreign: Whether its digits or signs are others than those of ASCII, such as full-width ones.
    """

    limit: str
    number: str
    power: int
    rest: str
    foreign: bool = False


def take_apart(cell: str) -> LabCell | None:
    """The cell in its parts, or None if it does not begin with a number or with a limit."""
    plain = _unmarked(plain_signs(cell))
    if (raised := _POWER.fullmatch(plain)) is not None:
        return LabCell("", "1", int(raised["ascii"] or raised["raised"].translate(_RAISED)), "")
    found = _CELL.fullmatch(plain)
    if found is None:
        return None
    limit = {"": "", "<": "<", "\N{LESS-THAN OR EQUAL TO}": "<", "=<": "<", "<=": "<"}.get(found["limit"], ">")
    rest = f"{found['coin']}{found['rest']}".strip()
    number = found["number"].replace("- ", "-").replace("+ ", "+")
    if rest and number[-1] in ".,":  # the name of a file, such as 12.png
        return None
    power = _SCIENTIFIC.fullmatch(rest)
    foreign = plain != cell.strip()
    if power is not None:
        return LabCell(limit, number, int(power[1]), "", foreign)
    if rest == "+":  # 90+ is "90 or more"
        return LabCell(">", number, 0, "", foreign)
    return LabCell(limit, number, 0, rest, foreign)


def split_rest(rest: str, low_flags: bool) -> tuple[str, bool] | None:
    """The unit ("" = none) and whether there is a flag for "too high" or "too low"; None if it is neither.

    Args:
        rest: What follows a number.
        low_flags: Whether "L" says "low"; else it is the unit of a volume.
    """
    bare = re.sub(r"[\[(]([^\d()\[\]]{1,12})[\])]", r"\1", rest)  # 72 (kg)
    words = bare.split()
    flags = [w for w in words if _FLAG.fullmatch(w) or (low_flags and _LITRE_OR_LOW.fullmatch(w))]
    glued = re.search(r"[*!\N{UPWARDS ARROW}\N{DOWNWARDS ARROW}]+$", bare)
    unit = " ".join(w for w in words if w not in flags)
    if glued is not None and not flags:
        unit = bare[: glued.start()].strip()
    flagged = bool(flags) or glued is not None
    return (unit, flagged) if not unit or _looks_like_unit(unit) else None


def _unmarked(cell: str) -> str:
    """A cell without the marks by which spreadsheets say that it is text."""
    found = _MARKED.fullmatch(cell)
    return cell if found is None else (found["text"] or found["quoted"] or "").strip()


def unit_key(unit: str) -> str:
    """A unit in one of the ways to write it: mg/L and mg/l, \N{MICRO SIGN}mol and umol are the same."""
    mega = "mega" if _MEGA.match(unit) else ""
    plain = mega + unit[bool(mega) :].casefold().replace(" ", "").replace("mcg", "ug")
    plain = plain.replace("\N{GREEK SMALL LETTER MU}", "u")
    return plain.replace("^", "").replace("**", "").replace("10*", "10").removesuffix(".")


def is_known_unit(unit: str) -> bool:
    """Whether a word is the unit of a measure: one of the list, or something per something."""
    return unit_key(unit) in _UNIT_WORDS or _RATIO.fullmatch(unit) is not None


def is_unknown_word(cell: str) -> bool:
    """Whether a cell means "not known" where it stands among numbers."""
    plain = plain_signs(cell).casefold()
    word = re.sub(r"^[\[(<{](.*)[\])>}]$", r"\1", plain).replace(" ", "_")
    return not plain or word in _UNKNOWN_WORDS or plain in _UNKNOWN_WORDS or _STATA.fullmatch(plain) is not None


def says_unknown(word: str) -> bool:
    """Whether a category says that nothing is known; short words without points, as none and nk, may be names."""
    return is_unknown_word(word) and any(map(str.isalpha, word)) and _SHORT_WORD.fullmatch(word) is None


def is_infinite(cell: str) -> bool:
    """Whether a cell is an infinite number, such as the result of a division by 0."""
    return _INFINITE.fullmatch(plain_signs(cell)) is not None


def _looks_like_unit(unit: str) -> bool:
    return len(unit) <= 20 and (unit in _COINS or is_known_unit(unit) or _UNIT.fullmatch(unit) is not None)
