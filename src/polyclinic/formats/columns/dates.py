"""Dates in the many ways that hospitals write them; an ambiguous one is refused, not guessed at."""

from dataclasses import dataclass

import polars as pl

from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.cells import is_unknown_word
from polyclinic.formats.columns.date_cells import DateCell, DateForm, date_cell
from polyclinic.formats.columns.plain_dates import parse_dates, plain_dates

NEARLY_DATES = 0.9
"""From this share of dates on, the other cells are mistakes: a round number."""
_EXCEL = "excel"
_EXCEL_1970 = 25569
"""The first day of 1970 as Excel counts, which believes February 1900 to have had 29 days."""
_SERIAL_DAYS = (20000, 80000)
"""From 1954 to 2119: what dates of patients look like as numbers of days."""
_PLACEHOLDERS = (
    *("1753-01-01", "1799-12-31", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01"),
    *("1970-01-01", "2099-12-31", "2100-01-01", "2999-12-31", "3000-01-01", "9999-12-31"),
)
"""Days that programs write where no date is known."""
_APART_YEARS = 10
"""So far from all others, such a day is no date of a patient; a round number."""


@dataclass(frozen=True)
class DatesRead:
    """A column that is written as dates.

    Attributes:
        values: Dates or moments in universal time; None = it stays open which.
        found: Why it stays open, or what was done to read it; "" = nothing.
        wrong: Rows (from 0) that stand in the way; empty if all do.
    """

    values: pl.Series | None
    found: str = ""
    wrong: tuple[int, ...] = ()


def read_dates(text: pl.Series, date_format: str | None = None) -> DatesRead | None:
    """A column of text as dates, or None if it is not written as dates.

    Day and month are told apart by a number above 12 anywhere in the column, or by points, with which the day comes
    first everywhere. A time zone that says its distance is calculated to universal time.

    Args:
        text: Stripped; null where not known.
        date_format: How dates are written, if the study says so.
    """
    if date_format is not None:
        return _as_said(text, date_format)
    known = text.drop_nulls()
    if not len(known) or not bool(known.head(100).str.contains(r"\d").any()):
        return None
    cells = {cell: date_cell(cell) for cell in known.unique(maintain_order=True)}
    unknown = {cell for cell, found in cells.items() if found is None and is_unknown_word(cell)}
    dates = {cell: found for cell, found in cells.items() if found is not None}
    if not dates or len(dates) < NEARLY_DATES * (len(cells) - len(unknown)):
        return None
    strange = [cell for cell, found in cells.items() if found is None and cell not in unknown]
    return _understood(text, dates, strange)


def index_dates(
    column: pl.Series, place: str, date_format: str | None = None
) -> tuple[pl.Series | None, list[Finding]]:
    """The column that the study names as its date, as dates or moments, and what is to be said about it.

    Beside what ``read_dates`` reads: 20200131 as text or number, and with date_format = "excel" days as Excel counts
    them.
    """
    if column.dtype.is_temporal() and not isinstance(column.dtype, (pl.Time, pl.Duration)):
        return column, _placeholders(column, place)
    if column.dtype != pl.String and not column.dtype.is_integer():
        return None, [_unreadable(place, "some cells are none")]
    text = column.cast(pl.String)
    read = (
        _numbers_as_dates(text, date_format) or read_dates(text, date_format) or DatesRead(None, "some cells are none")
    )
    if read.values is None:
        return None, [_unreadable(place, read.found, read.wrong)]
    return read.values, [*dates_note(place, read), *_placeholders(read.values, place)]


def dates_note(place: str, read: DatesRead) -> tuple[Finding, ...]:
    """What was done to read the dates of a column; nothing if they are plain."""
    return (_note(place, read.found),) if read.found else ()


def unreadable_input(place: str, read: DatesRead) -> Finding:
    """The finding for a column that is written as dates, of which it stays open which they are."""
    finding = _unreadable(place, read.found, read.wrong)
    return Finding(
        "unreadable_dates", place, finding.rule, finding.found, finding.remedy, Severity.REFUSED, finding.rows
    )


def _understood(text: pl.Series, dates: dict[str, DateCell], strange: list[str]) -> DatesRead:
    """The dates, if the whole column leaves one reading."""
    doubt = _doubt(list(dates.values()))
    if strange:
        return _stopped(text, strange, "some cells are no dates")
    if doubt:
        return DatesRead(None, doubt)
    day_first = _day_first(list(dates.values()))
    moments = {cell: found.moment(day_first) for cell, found in dates.items()}
    impossible = [cell for cell, moment in moments.items() if moment is None]
    if impossible:
        return _stopped(text, impossible, "there is no such day in the calendar")
    values = text.replace_strict(moments, default=None, return_dtype=pl.Datetime("us"))
    timed = any(found.clock is not None for found in dates.values())
    return DatesRead(values if timed else values.cast(pl.Date), _what_was_done(list(dates.values())))


def _doubt(dates: list[DateCell]) -> str:
    """Why the column leaves more than one reading; "" if it does not."""
    forms = {found.form for found in dates}
    zones = [found.zone for found in dates if found.clock is not None]
    ambiguous = [found for found in dates if found.form is DateForm.STROKES]
    first = any(found.first > 12 for found in ambiguous)
    second = any(found.second > 12 for found in ambiguous)
    reasons = {
        "years have two digits: the century is open": DateForm.TWO_DIGIT_YEAR in forms,
        "they are weeks, not days": DateForm.WEEK in forms,
        "they are quarters, not days": DateForm.QUARTER in forms,
        "some have a time zone and others none": any(zones) and not all(zones),
        "a time zone is given by a word, which does not say its distance": not all(f.zone_is_known for f in dates),
        "day and month cannot be told apart": bool(ambiguous) and first == second,
        "they are written in several ways": len(forms) > 1 and DateForm.MONTH in forms,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _day_first(dates: list[DateCell]) -> bool:
    """Whether the day comes first: with points always, with strokes where a first number is above 12."""
    strokes = [found for found in dates if found.form is DateForm.STROKES]
    return not strokes or any(found.first > 12 for found in strokes)


def _what_was_done(dates: list[DateCell]) -> str:
    if any(found.form is DateForm.MONTH for found in dates):
        return "without a day, year and month alone: the first of the month is read"
    if any(found.zone for found in dates):
        return "a time zone in the cells: all moments are calculated to universal time"
    return ""


def _numbers_as_dates(text: pl.Series, date_format: str | None) -> DatesRead | None:
    """Numbers that are dates: 20200131, and days as Excel counts them, which must be said."""
    known = text.drop_nulls()
    if not len(known) or not bool(known.str.contains(r"^[0-9]+$").all()):
        return None
    if date_format == _EXCEL:
        return DatesRead((text.cast(pl.Int32) - _EXCEL_1970).cast(pl.Date))
    if date_format is not None:
        return None
    compact = parse_dates(text, "%Y%m%d", moment=False)
    if bool(known.str.contains(r"^(19|20)[0-9]{6}$").all()) and compact is not None:
        return DatesRead(compact)
    number = known.cast(pl.Int64, strict=False)
    if bool(number.is_between(*_SERIAL_DAYS).all()):
        return DatesRead(None, 'they are numbers, perhaps the serial days of Excel: then date_format = "excel"')
    if bool(number.is_between(1900, 2100).all()):
        return DatesRead(None, "there are only years, without month and day")
    return None


def _as_said(text: pl.Series, date_format: str) -> DatesRead | None:
    """The dates in the form that the study gives; a column of another form may be plain all the same."""
    if "%" not in date_format:
        return None
    moment = any(sign in date_format for sign in ("%H", "%I"))
    values = parse_dates(text, date_format, moment=moment)
    if values is None:
        values = plain_dates(text)
    return None if values is None else DatesRead(values)


def _stopped(text: pl.Series, cells: list[str], found: str) -> DatesRead:
    mask = text.is_in(cells).fill_null(False)
    return DatesRead(None, found, tuple(int(i) for i in mask.arg_true()))


def _placeholders(dates: pl.Series, place: str) -> list[Finding]:
    """Days that programs write where no date is known, far from all others."""
    days = dates.cast(pl.Date)
    mask = days.cast(pl.String).is_in(_PLACEHOLDERS).fill_null(False)
    rest = days.filter(~mask).drop_nulls()
    if not mask.any() or not len(rest):
        return []
    years = days.dt.year()
    usual = rest.dt.year().to_numpy()
    apart = mask & ((years < usual.min() - _APART_YEARS) | (years > usual.max() + _APART_YEARS))
    if not apart.any():
        return []
    return [
        Finding(
            name="placeholder_dates",
            place=place,
            rule="a date should be one of a patient",
            found=f"in {int(apart.sum())} of {len(days):,} rows it is a day that programs write where none is known",
            remedy="If so, name that day in [cohort] missing_values.",
            severity=Severity.WARNING,
            rows=tuple(int(i) + 1 for i in apart.arg_true()),
        )
    ]


def _note(place: str, found: str) -> Finding:
    return Finding(
        name="read_as_dates",
        place=place,
        rule="dates may be written in many ways",
        found=found,
        remedy="Look whether that is meant; date_format says it otherwise.",
        severity=Severity.NOTE,
    )


def _unreadable(place: str, found: str, wrong: tuple[int, ...] = ()) -> Finding:
    return Finding(
        name="unreadable_dates",
        place=place,
        rule="must hold dates that can be read in one way only",
        found=found,
        remedy='Write dates as 2020-01-31, or say how they are written: date_format = "%d/%m/%Y" under [cohort].',
        rows=tuple(row + 1 for row in wrong),
    )
