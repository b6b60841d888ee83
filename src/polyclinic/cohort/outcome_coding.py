"""How an outcome is coded: which of its values means the event or the illness, and where that is open to doubt.

Nothing here reads a study's data: a study says what its codes mean. Drafts guess it, and say why.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import polars as pl

from polyclinic.cohort.field_words import consists_of, is_called, mentions, tokens
from polyclinic.cohort.outcomes import spell

Code = str | int | float | bool

_NUMBERED = re.compile(r"^\s*\(?([0-9])\)?\s*[:=.)-]\s*(?=\D)")
_MOST_CODES = 8
"""Distinct values of an event: censored, and a few causes. A round number."""

_MOST_CAUSES = 5
"""The largest number that codes an event beside 0 for censored. A round number."""


class Side(Enum):
    """What a value of an outcome says about the patient."""

    ILL = 1
    WELL = -1
    OPEN = 0


@dataclass(frozen=True)
class Positive:
    """The class whose probability is given.

    Attributes:
        value: As the table writes it.
        sure: Whether its word, or the usual coding, leaves no doubt.
    """

    value: Code
    sure: bool


@dataclass(frozen=True)
class EventCoding:
    """What the values of an event column mean.

    Attributes:
        occurred: Values that mean that the event was seen; empty where they have to be asked for.
        doubt: What a person should look at, as a sentence; "" where the coding is plain.
    """

    occurred: tuple[Code, ...]
    doubt: str = ""

    @property
    def plain(self) -> bool:
        """Whether the study file need not say it: 1 or true is the event, without a doubt."""
        return not self.doubt and len(self.occurred) == 1 and self.occurred[0] in (1, True)


def cell_meant(value: Code, held: Collection[str]) -> str | None:
    """The cell that a study file means: true also stands for True and 1, and 1 for "1.00" where that is alone."""
    aliases = [spell(value)]
    if isinstance(value, bool):
        aliases += [str(value), str(value).upper(), str(int(value))]
    found = next((alias for alias in aliases if alias in held), None)
    if found is not None or isinstance(value, bool):
        return found
    number = _number(spell(value))
    same = [cell for cell in held if number is not None and _number(cell) == number]
    return same[0] if len(same) == 1 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def guess_positive(column: pl.Series) -> Positive:
    """Of two classes the one that sounds like illness, never the healthy one; else the larger number or rarer text."""
    column = _plain(column)
    one, other = codes(column)
    if column.dtype not in (pl.String, pl.Boolean):
        usual = [one, other] in ([0, 1], [-1, 1]) or ([one, other] == [1, 2] and is_event_name(column.name) > 0)
        well = is_called(column.name, "healthy_name")
        return Positive(one if well else other, sure=usual)
    sides = [_side_of_two(one, other), _side_of_two(other, one)]
    if is_called(column.name, "healthy_name") and all(_is_answer(value) for value in (one, other)):
        sides.reverse()
    if Side.OPEN not in sides and sides[0] is not sides[1]:
        return Positive(one if sides[0] is Side.ILL else other, sure=True)
    counts = column.drop_nulls().value_counts(name="\0n").sort(by=["\0n", column.name])
    rarer: str = counts.to_series(0)[0]
    return Positive(rarer, sure=False)


def event_coding(column: pl.Series) -> EventCoding | None:
    """Which values of a column mean an event and which a censored follow-up; None where it holds no such thing."""
    column = _plain(column)
    if column.dtype.is_float() and bool((column.drop_nulls() % 1 != 0).any()):
        return None
    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean)):
        return None
    if not 2 <= column.drop_nulls().n_unique() <= _MOST_CODES:
        return None
    values = codes(column)
    if column.dtype == pl.String:
        return _coded_in_words(column.name, [str(value) for value in values])
    return _coded_in_numbers(column.name, [int(value) for value in values], column.dtype == pl.Boolean)


def _plain(column: pl.Series) -> pl.Series:
    """Numbers that were kept as text, such as "1.0", as numbers, where no two of them become one."""
    if column.dtype != pl.String:
        return column
    numbers = column.cast(pl.Float64, strict=False)
    same = numbers.null_count() == column.null_count() and numbers.n_unique() == column.n_unique()
    return numbers if same else column


def codes(column: pl.Series) -> list[Code]:
    """The distinct values in order, whole numbers as such."""
    values: list[Code] = column.drop_nulls().unique().sort().to_list()
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def side(value: Code) -> Side:
    """Whether a word means illness or event, or health or a censored follow-up."""
    text = _NUMBERED.sub("", spell(value)).strip()
    words = tokens(text)
    if text in ("+", "-"):
        return Side.ILL if text == "+" else Side.WELL
    if is_called(text, "ill", "agree"):
        return Side.ILL
    if is_called(text, "well", "deny"):
        return Side.WELL
    if len(words) > 1 and is_called(words[0], "not_words"):
        return _opposite(side(" ".join(words[1:])))
    return side(words[0]) if len(words) > 1 else _chinese_side(text)


def _chinese_side(text: str) -> Side:
    """Chinese writes no blanks: 未死亡 is "not" before "died"."""
    for length in (1, 2):
        if is_called(text[:length], "not_words") and text[length:] and not text.isascii():
            return _opposite(side(text[length:]))
    return Side.OPEN


def _opposite(one: Side) -> Side:
    return Side(-one.value)


def _side_of_two(value: Code, other: Code) -> Side:
    """The side of one of two values, the other one seen too: letters mean something in pairs only."""
    a, b = (" ".join(tokens(spell(code))) for code in (value, other))
    if is_called(f"{a} {b}", "letters"):
        return Side.ILL
    if is_called(f"{b} {a}", "letters"):
        return Side.WELL
    if any(a in (f"{no}{b}", f"{no} {b}") for no in ("no", "not", "non")):
        return Side.WELL
    own, others = side(value), side(other)
    if own is others:
        return _by_number(value, other)
    return _opposite(others) if own is Side.OPEN else own


def _by_number(value: Code, other: Code) -> Side:
    """Two values whose words say nothing, or the same: the numbers that stand before them may tell."""
    own, others = _NUMBERED.match(spell(value)), _NUMBERED.match(spell(other))
    if own is None or others is None or {own[1], others[1]} != {"0", "1"}:
        return Side.OPEN
    return Side.ILL if own[1] == "1" else Side.WELL


def _is_answer(value: Code) -> bool:
    """Whether a value only says yes or no to what the column is called."""
    return isinstance(value, bool) or is_called(spell(value), "agree", "deny")


def _coded_in_numbers(name: str, values: Sequence[int], truth: bool) -> EventCoding | None:
    if list(values) == [0, 1]:
        return _zero_and_one(name, truth)
    if list(values) == [1, 2]:
        doubt = "2 is taken as the event, as in R's survival package" if speaks_of_censoring(name) else ""
        return EventCoding((2,), doubt)
    if values[0] == 0 and values[-1] <= _MOST_CAUSES:
        causes = tuple(values[1:])
        listed = ", ".join(map(str, causes))
        return EventCoding(
            causes,
            f"it holds competing events ({listed}): any of them counts here. If you ask about one, name it alone; "
            "the others then count as censored, which overstates its risk",
        )
    if values[0] == 1 and values[-1] <= _MOST_CAUSES:
        return EventCoding((), "the numbers do not say which of them means censored")
    return None


def _zero_and_one(name: str, truth: bool) -> EventCoding:
    yes, no = (True, False) if truth else (1, 0)
    if is_called(name, "healthy_name"):
        return EventCoding((no,), "the column says who is alive, so no is taken as the event")
    if says_who_was_censored(name):
        return EventCoding((no,), f"the column says who was censored, so {spell(no)} is taken as the event: look it up")
    if speaks_of_censoring(name):
        why = "as in most public sets (GBSG2, gehan, channing)"
        return EventCoding((yes,), f"the column is named for censoring, yet {spell(yes)} is taken as the event, {why}")
    return EventCoding((yes,))


def _coded_in_words(name: str, values: Sequence[str]) -> EventCoding | None:
    sides = {value: side(value) for value in values}
    if len(values) == 2:
        one, other = values
        sides = {one: _side_of_two(one, other), other: _side_of_two(other, one)}
    turned = is_called(name, "healthy_name") or says_who_was_censored(name)
    if turned and all(_is_answer(value) for value in values):
        sides = {value: _opposite(found) for value, found in sides.items()}
    ill = tuple(value for value, found in sides.items() if found is Side.ILL)
    open_ones = [value for value, found in sides.items() if found is Side.OPEN]
    if not ill or len(ill) + len(open_ones) == len(values):
        return None
    if open_ones:
        return EventCoding(
            ill, "values of which no word says event or censored count as censored; some may be competing events"
        )
    several = "it holds competing events: any of them counts here. If you ask about one, name it alone"
    return EventCoding(ill, several if len(ill) > 1 else "")


def speaks_of_censoring(name: str) -> bool:
    """Whether a column is called after censoring: its 1 may mean the event or, as often, that there was none."""
    glued = (re.fullmatch(r"[a-z]{1,4}(cens|censor|censored|censoring|censorship)", word) for word in tokens(name))
    return mentions(name, "censoring") or any(found and not found[0].startswith(("un", "non")) for found in glued)


def says_who_was_censored(name: str) -> bool:
    """Whether a whole word says who was censored, as "censored" and "censorship" do and "cens" does not."""
    return mentions(name, "censored_plainly") and not mentions(name, "not_words")


def is_event_name(name: str) -> int:
    """How plainly a name speaks of an event: 2 = it says so, 1 = it may, 0 = it does not."""
    if mentions(name, "not_event") or is_by_then(name):
        return 0
    words = [re.sub(r"(?<=[a-z]{2})[0-9]$", "", word) for word in tokens(name)]  # status2 beside status
    plain = " ".join(words)
    if mentions(plain, "event") or _with_mark("".join(words)):
        return 2
    if is_called(plain, "event_alone") or re.fullmatch(r"[a-z]{1,4}(stat|status|cens|event)", "".join(words)):
        return 1
    return int(mentions(plain, "status") and consists_of(plain, "status", "about_endpoint"))


def _with_mark(word: str) -> bool:
    """Whether a word of one piece is an event with a mark before or behind, such as censdead or deathind."""
    found = re.fullmatch(r"(?:cens|stat|ind|is|has)([a-z]{3,})|([a-z]{3,})(?:cens|stat|ind|flag|status)", word)
    return found is not None and is_called(found[1] or found[2], "event")


def is_by_then(name: str) -> bool:
    """Whether an event is one up to a fixed moment, such as death in hospital or within 30 days: a class, then."""
    words = tokens(name)
    until = r"[0-9]{2,4}|[0-9]{1,4}(d|days?|w|wks?|weeks?|m|mo|months?|y|yrs?|years?)"
    dated = any(re.fullmatch(until, word) for word in words)
    after = any(re.fullmatch(r"(day|d|month|m|year|y|yr)[0-9]{1,4}", word) for word in words)
    glued = any(re.fullmatch(r"(death|dead|died|mort|mortality)[0-9]{1,3}(d|days?|m|mo|y|yr)?", word) for word in words)
    return (len(words) > 1 and (dated or after)) or glued or mentions(name, "by_then")
