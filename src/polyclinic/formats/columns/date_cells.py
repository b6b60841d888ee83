"""One cell as a date: which of the ways to write dates it follows, and which day it may be."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from polyclinic.formats.columns.numbers import plain_signs

_MONTHS = (
    "jan janv januar january janvier ene",
    "feb febr f\N{LATIN SMALL LETTER E WITH ACUTE}vr fev februar february f\N{LATIN SMALL LETTER E WITH ACUTE}vrier",
    "mar m\N{LATIN SMALL LETTER A WITH DIAERESIS}r mrz m\N{LATIN SMALL LETTER A WITH DIAERESIS}rz march mars maerz",
    "apr avr april avril abr",
    "may mai mayo",
    "jun juni june juin",
    "jul juli july juil juillet",
    "aug august ao\N{LATIN SMALL LETTER U WITH CIRCUMFLEX}t aout ago",
    "sep sept september septembre",
    "oct okt october oktober octobre",
    "nov november novembre",
    "dec dez d\N{LATIN SMALL LETTER E WITH ACUTE}c december dezember d\N{LATIN SMALL LETTER E WITH ACUTE}cembre dic",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_NAME = r"(?P<name>[^\W\d_]{3,10})\.?"
_CLOCK = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2}|[A-Z]{3,4})?)?"
)


class DateForm(StrEnum):
    """A way to write dates."""

    YEAR_FIRST = "year first"
    POINTS = "points"
    STROKES = "strokes"
    TWO_DIGIT_YEAR = "two-digit year"
    NAMED = "name of the month"
    WEEK = "week"
    QUARTER = "quarter"
    MONTH = "month"


_FORMS = (
    (DateForm.YEAR_FIRST, r"(?P<y>\d{4})[-/.](?P<a>\d{1,2})[-/.](?P<b>\d{1,2})"),
    (DateForm.YEAR_FIRST, "(?P<y>\\d{4})\u5e74(?P<a>\\d{1,2})\u6708(?P<b>\\d{1,2})\u65e5"),
    (DateForm.POINTS, r"(?P<a>\d{1,2})\.\s?(?P<b>\d{1,2})\.\s?(?P<y>\d{4})"),
    (DateForm.STROKES, r"(?P<a>\d{1,2})[-/](?P<b>\d{1,2})[-/](?P<y>\d{4})"),
    (DateForm.TWO_DIGIT_YEAR, r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{2})"),
    (DateForm.NAMED, rf"(?P<b>\d{{1,2}})[-. /]*{_NAME}[-, /]*(?P<y>\d{{4}})"),
    (DateForm.NAMED, rf"{_NAME}\s+(?P<b>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})"),
    (DateForm.TWO_DIGIT_YEAR, rf"(?P<b>\d{{1,2}})[-. /]*{_NAME}[-, /]*(?P<y>\d{{2}})"),
    (DateForm.WEEK, r"(?P<y>\d{4})-?W(?P<a>\d{2})(?:-?\d)?"),
    (DateForm.QUARTER, r"(?:Q(?P<a>[1-4])[ /-]?(?P<y>\d{4})|\d{4}[ /-]?Q[1-4])"),
    (DateForm.MONTH, r"(?P<y>(?:19|20)\d{2})[-/](?P<a>0[1-9]|1[0-2])"),
)
_PATTERNS = tuple((form, re.compile(pattern + _CLOCK)) for form, pattern in _FORMS)


@dataclass(frozen=True)
class DateCell:
    """A cell that is written as a date.

    Attributes:
        form: The way in which it is written.
        year: As written.
        first: The first of day and month, or the month where that is known.
        second: The other one.
        clock: Time since midnight; None = only a day.
        zone: Time zone as written, "" where there is none.
    """

    form: DateForm
    year: int
    first: int
    second: int
    clock: timedelta | None
    zone: str

    def moment(self, day_first: bool) -> datetime | None:
        """The moment in universal time, or None if the calendar has no such day.

        Args:
            day_first: Whether the first number is the day, where it could be the month.
        """
        swap = day_first and self.form in (DateForm.POINTS, DateForm.STROKES)
        month, day = (self.second, self.first) if swap else (self.first, self.second)
        try:
            midnight = datetime.combine(date(self.year, month, day), datetime.min.time())
        except ValueError:
            return None
        return midnight + (self.clock or timedelta()) - _offset(self.zone)

    @property
    def zone_is_known(self) -> bool:
        """Whether the time zone says how far it is from universal time."""
        return self.zone in ("", "Z", "UTC", "GMT") or self.zone[0] in "+-"


def date_cell(cell: str) -> DateCell | None:
    """The cell as a date, or None if it is not written as one."""
    plain = plain_signs(cell)
    for form, pattern in _PATTERNS:
        found = pattern.fullmatch(plain)
        if found is None:
            continue
        parts = found.groupdict()
        month = _MONTH.get(parts["name"].casefold(), 0) if parts.get("name") else int(parts.get("a") or 0)
        if parts.get("name") and not month:
            continue
        year, second, clock = int(parts.get("y") or 0), int(parts.get("b") or 1), _clock(parts)
        return DateCell(form, year, month, second, clock, parts["zone"] or "")
    return None


def _clock(parts: dict[str, str | None]) -> timedelta | None:
    if not parts["hour"]:
        return None
    hour = int(parts["hour"])
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
    second = float((parts["second"] or "0").replace(",", "."))
    return timedelta(hours=hour, minutes=int(parts["minute"] or 0), seconds=second)


def _offset(zone: str) -> timedelta:
    """How far a zone is ahead of universal time."""
    if not zone or zone[0] not in "+-":
        return timedelta()
    digits = zone[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    offset = timezone(ahead if zone[0] == "+" else -ahead).utcoffset(None)
    return offset
