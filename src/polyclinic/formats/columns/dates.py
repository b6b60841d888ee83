"""Dates in the many ways that hospitals write them; an ambiguous one is refused, not guessed at."""

import polars as pl

from polyclinic.errors import Finding

_PLAIN = (
    (r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$", "%Y-%m-%d"),
    (r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$", "%Y/%m/%d"),
    (r"^[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日$", "%Y年%m月%d日"),
)
_MOMENTS = (
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}$", "%Y-%m-%d %H:%M"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$", "%Y-%m-%d %H:%M:%S%.f"),
    (r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}$", "%Y/%m/%d %H:%M"),
)
_DAY_OR_MONTH_FIRST = r"^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})$"


def plain_dates(column: pl.Series) -> pl.Series | None:
    """The column as dates or moments if every known cell is one, written with the year first; else None."""
    for patterns, moment in ((_PLAIN, False), (_MOMENTS, True)):
        for pattern, form in patterns:
            if bool(column.drop_nulls().str.contains(pattern).all()):
                return _parse(column, form, moment)
    return None


def index_dates(column: pl.Series, place: str) -> pl.Series | Finding:
    """The column that the study names as its date, as dates or moments; or the finding that it is none.

    Beside what ``plain_dates`` reads: 20200131 as text or number, and day/month/year or month/day/year where one of
    the two is above 12 in at least one row, so that there is no doubt.
    """
    if column.dtype.is_temporal() and not isinstance(column.dtype, (pl.Time, pl.Duration)):
        return column
    if column.dtype == pl.String or column.dtype.is_integer():
        text = column.cast(pl.String)
        for attempt in (_compact, _western, plain_dates):
            dates = attempt(text)
            if dates is not None:
                return dates
    return Finding(
        name="unreadable_dates",
        place=place,
        rule="must hold dates",
        found="some cells are none, or day and month cannot be told apart",
        remedy="Write dates as 2020-01-31.",
    )


def _compact(text: pl.Series) -> pl.Series | None:
    return _parse(text, "%Y%m%d", moment=False) if bool(text.str.contains(r"^(19|20)[0-9]{6}$").all()) else None


def _western(text: pl.Series) -> pl.Series | None:
    """Day/month/year or month/day/year; None if the column leaves it open which of the two."""
    if not bool(text.str.contains(_DAY_OR_MONTH_FIRST).all()):
        return None
    parts = text.str.extract_groups(_DAY_OR_MONTH_FIRST).struct.unnest().cast(pl.Int32)
    first, second = parts.to_series(0), parts.to_series(1)
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    if day_first == month_first:
        return None
    form = "%d-%m-%Y" if day_first else "%m-%d-%Y"
    return _parse(text.str.replace_all(r"[/.]", "-"), form, moment=False)


def _parse(text: pl.Series, form: str, moment: bool) -> pl.Series | None:
    if moment:
        parsed = text.str.replace("T", " ", literal=True).str.to_datetime(form, time_unit="us", strict=False)
    else:
        parsed = text.str.to_date(form, strict=False)
    return parsed if parsed.null_count() == text.null_count() else None
