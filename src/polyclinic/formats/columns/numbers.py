"""How numbers are written: which sign stands before the decimals, which between thousands; told by the whole column."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median

NUMBER = r"[+-]?(?:\d(?:[\d.,]|['\N{SPACE}](?=\d{3}))*|[.,]\d+)(?:[eE][+-]?\d+)?"
"""A number in any of the styles; blanks and apostrophes only before three digits."""

_SIGNS = {
    **dict.fromkeys(
        "\N{MINUS SIGN}\N{EN DASH}\N{FIGURE DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{SMALL HYPHEN-MINUS}", "-"
    ),
    **dict.fromkeys(
        "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{FIGURE SPACE}\N{IDEOGRAPHIC SPACE}", " "
    ),
    **dict.fromkeys("\N{RIGHT SINGLE QUOTATION MARK}\N{PRIME}\N{MODIFIER LETTER APOSTROPHE}", "'"),
    "\N{ARABIC DECIMAL SEPARATOR}": ".",
    "\N{ARABIC THOUSANDS SEPARATOR}": ",",
}
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_FEWEST_BARE = 5
"""So few whole numbers below a thousand are no habit of writing; a round number."""
_BARE_SHARE = 0.05
"""A number with three decimals loses all of them once in a thousand; many more whole ones are no decimals cut off."""
_POINTED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)")
_HUNDREDS = range(100, 1000)
_HALF_WAY = 1000**0.5
"""A point between thousands makes a number 1000 times larger; the middle, in powers of ten, divides the readings."""


@dataclass(frozen=True)
class NumberStyle:
    """One way to write numbers.

    Attributes:
        decimal: The sign before the decimals.
        thousands: The sign between thousands, "" where there is none.
    """

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        sign = re.escape(self.thousands)  # in India only the last group has three digits: 1,45,000
        groups = rf"|[1-9]\d{{0,2}}(?:{sign}\d{{2,3}})*{sign}\d{{3}}" if self.thousands else ""
        part = re.escape(self.decimal)
        return re.compile(rf"[+-]?(?:(?:\d+{groups})(?:{part}\d*)?|{part}\d+)(?:[eE][+-]?\d+)?")

    def read(self, number: str) -> float | None:
        """The number, or None if it is not written so."""
        if self._pattern.fullmatch(number) is None:
            return None
        bare = number.replace(self.thousands, "") if self.thousands else number
        return float(bare.replace(self.decimal, "."))


@dataclass(frozen=True)
class OpenStyle:
    """Why a column does not tell how its numbers are written.

    Attributes:
        found: In words for a message.
        certain: Whether they are numbers at all, beyond doubt.
    """

    found: str
    certain: bool = True


PLAIN = NumberStyle()
POINTS_OPEN = OpenStyle(
    'a point before three digits may stand before decimals or between thousands, as in "1.234", '
    "for whole numbers of hundreds stand beside"
)
_STYLES = tuple(NumberStyle(decimal, sign) for sign in ("", ",", ".", " ", "'") for decimal in ".," if sign != decimal)


def plain_signs(cell: str) -> str:
    """A cell with digits, signs and blanks of other scripts as those of ASCII; letters stay as they are."""
    return cell.strip() if cell.isascii() else "".join(map(_plain_sign, cell)).strip()


def choose_style(
    numbers: Mapping[str, int], decimal: str | None, thousands: str | None, enough: float
) -> NumberStyle | OpenStyle:
    """The style in which most of the numbers are written, or why it stays open.

    A point alone, as in "1.234", is taken for a decimal point, as programs write it (but see
    ``points_may_divide_thousands``). A comma alone, as in "1,234",
    is taken for a sign between thousands only where whole numbers below a thousand stand beside.

    Args:
        numbers: How often each number occurs, as written.
        decimal: The sign before the decimals, if the study says so.
        thousands: The sign between thousands, if the study says so.
        enough: Share of the numbers that one style must read.
    """
    styles = [style for style in _STYLES if _allowed(style, decimal, thousands)]
    read = {style: {n: v for n in numbers if (v := style.read(n)) is not None} for style in styles}
    weight = {style: sum(numbers[n] for n in values) for style, values in read.items()}
    most = max(weight.values(), default=0)
    any_style = sum(many for n, many in numbers.items() if any(n in values for values in read.values()))
    if any_style < enough * sum(numbers.values()):
        return OpenStyle("the signs between their digits follow no rule", certain=False)
    if most < enough * any_style:
        return OpenStyle("some are written with a decimal point, others with a decimal comma")
    best = [style for style in styles if weight[style] == most]
    if all(read[style] == read[best[0]] for style in best) or best[0].decimal == "." or decimal is not None:
        return best[0]
    if _has_bare_numbers(numbers):
        return next(style for style in best if style.thousands == ",")
    return OpenStyle('a comma before three digits may stand before decimals or between thousands, as in "1,234"')


def points_may_divide_thousands(numbers: Collection[str]) -> bool:
    """Whether 2.144 may be two thousand here: 458 stands beside, and no cell tells decimals.

    Decimals are told by another number of digits behind a point, a 0 before it, or a whole number from 1000 on. Whole
    numbers of hundreds are told from decimals by size: they lie nearer to the pointed ones read as thousands.
    """
    pointed = [float(number) for number in numbers if _POINTED.fullmatch(number)]
    whole = [abs(int(number)) for number in numbers if _WHOLE.fullmatch(number)]
    hundreds = [number for number in whole if number in _HUNDREDS]
    if not pointed or not hundreds or len(pointed) + len(whole) < len(numbers) or max(whole) not in _HUNDREDS:
        return False
    return median(hundreds) > _HALF_WAY * min(map(abs, pointed))


def _allowed(style: NumberStyle, decimal: str | None, thousands: str | None) -> bool:
    return decimal in (None, style.decimal) and (
        thousands is None or (style.thousands in ("", thousands) and style.decimal != thousands)
    )


def _has_bare_numbers(numbers: Mapping[str, int]) -> bool:
    """Whether numbers of hundreds stand without a comma, and none above: then it divides thousands."""
    bare = {n: many for n, many in numbers.items() if n.lstrip("+-").isdecimal()}
    count = sum(bare.values())
    often = count >= max(_FEWEST_BARE, _BARE_SHARE * sum(numbers.values()))
    return often and max(len(n.lstrip("+-")) for n in bare) == 3


def _plain_sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if unicodedata.category(sign) == "Cf":  # has no width, such as the mark of a byte order
        return ""
    if ord(sign) in _FULL_WIDTH:
        return chr(ord(sign) - 0xFEE0)
    digit = unicodedata.decimal(sign, None)
    return sign if digit is None else str(digit)
