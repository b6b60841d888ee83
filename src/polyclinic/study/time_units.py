"""How long a year is in the unit of time that a study names."""

from collections.abc import Mapping

_WORDS: Mapping[float, tuple[str, ...]] = {
    365.25: ("day", "days", "d", "tag", "tage", "jour", "jours", "\u5929", "\u65e5"),
    365.25 / 7: ("week", "weeks", "wk", "wks", "woche", "wochen", "\u5468"),
    12.0: ("month", "months", "mo", "mon", "mos", "monat", "monate", "mois", "\u6708", "\u4e2a\u6708"),
    1.0: ("year", "years", "yr", "yrs", "y", "a", "jahr", "jahre", "an", "ans", "\u5e74"),
}


def year_in(unit: str) -> float | None:
    """A year in this unit, 365.25 days long; None where the unit is not known.

    Example:
        >>> year_in("Months")
        12.0
    """
    word = unit.strip().rstrip(".").lower()
    return next((year for year, words in _WORDS.items() if word in words), None)
