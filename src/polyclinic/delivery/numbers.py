"""How numbers are written: as many digits as a reader can use, and never an interval without its value."""

import math
from collections.abc import Callable

from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.metric_names import METRICS
from polyclinic.evidence.records import Estimate
from polyclinic.translations.phrase import Phrase

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

Writer = Callable[[float | None, str], str]
"""Writes a value of a metric: as it is, or with its sign."""


def number(value: float | None, metric: str = "") -> str:
    """A value of a metric: shares with three decimals, others with three digits; a dash when not known."""
    if value is None:
        return NOTHING
    known = METRICS.get(metric)
    written = f"{value:.3f}" if known is None or known.scale == "share" else significant(value)
    return (written.removeprefix("-") if float(written) == 0 else written).replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """Three digits that count, and never more than three decimals unless all of them would be zero."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 3)}f}" if abs(value) >= 0.0005 else f"{value:.1e}"


def signed(value: float | None, metric: str = "") -> str:
    """A difference, with its sign."""
    written = number(value, metric)
    return f"+{written}" if value is not None and value > 0 and float(written.replace(MINUS, "-")) != 0 else written


def interval(estimate: Estimate, metric: str = "", write: Writer = number) -> str:
    """Low to high; empty when there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return Phrase("{low} to {high}", low=write(estimate.low, metric), high=write(estimate.high, metric))


def stacked(estimate: Estimate | None, metric: str = "", write: Writer = number) -> Element:
    """The value, and its interval below it: narrow enough for a table on a phone."""
    if estimate is None or estimate.value is None:
        return join(NOTHING)
    around = interval(estimate, metric, write)
    return join(element("b", write(estimate.value, metric)), element("small", around) if around else None)


def with_interval(estimate: Estimate | None, metric: str = "", write: Writer = number) -> str:
    """``value (low to high)``."""
    if estimate is None or estimate.value is None:
        return NOTHING
    around = interval(estimate, metric, write)
    value = write(estimate.value, metric)
    return Phrase("{value} ({interval})", value=value, interval=around) if around else value


def count(value: float | None) -> str:
    """A number of patients, thousands set apart; averages over folds keep one decimal."""
    if value is None:
        return NOTHING
    whole = abs(value - round(value)) < 1e-9
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as per cent."""
    return NOTHING if share is None else f"{100 * share:.{decimals}f}%"


def chance(share: float) -> str:
    """A predicted chance as whole per cent; what is rounded to 0 or 100 is neither.

    Example:
        >>> chance(0.9181), chance(0.9999), chance(0.0)
        ('92%', '>99%', '<1%')
    """
    whole = round(100 * share)
    return "<1%" if whole < 1 else ">99%" if whole > 99 else f"{whole}%"


def cell(value: str | float | None) -> str:
    """Truth, answer or loss of one row in a table: words as they are, numbers with three digits."""
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else significant(value).replace("-", MINUS)


def with_unit(name: str, unit: str) -> str:
    """The name of a quantity with its unit."""
    return Phrase("{name} ({unit})", name=name, unit=unit) if unit else name
