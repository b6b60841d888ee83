"""Dates with the year first: read in every column, because nothing else looks like them."""

import polars as pl

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


def plain_dates(column: pl.Series) -> pl.Series | None:
    """The column as dates or moments if every known cell is one, written with the year first; else None."""
    for patterns, moment in ((_PLAIN, False), (_MOMENTS, True)):
        for pattern, form in patterns:
            if bool(column.drop_nulls().str.contains(pattern).all()):
                return parse_dates(column, form, moment=moment)
    return None


def parse_dates(text: pl.Series, form: str, *, moment: bool) -> pl.Series | None:
    """The column as dates, or moments, of one form; None if a known cell is of another."""
    if moment:
        parsed = text.str.replace("T", " ", literal=True).str.to_datetime(form, time_unit="us", strict=False)
    else:
        parsed = text.str.to_date(form, strict=False)
    return parsed if parsed.null_count() == text.null_count() else None
