"""Which values a named measure cannot have in a living patient. Only names that leave no doubt are judged.

Source: the limits are those of measurement itself (nothing below zero, no share above 100) or lie beyond the extremes
described in living patients: 122 years of age; a core temperature of 13.7 to 46.5 degrees Celsius (Gilbert et al.,
Lancet 2000; Slovis et al., Annals of Emergency Medicine 1982). They find wrong units and slips, nothing finer.
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Limits:
    """What a measure can be, in words and numbers.

    Attributes:
        what: Name for a message.
        ranges: Alternative ranges, one per usual unit; a column must fit one of them.
        zero_possible: Whether 0 is a measurement and not a sign for "not measured".
    """

    what: str
    ranges: tuple[tuple[float, float], ...]
    zero_possible: bool = True


_LIMITS = (
    (r"age|age years|age at diagnosis|age at admission", Limits("age in years", ((0, 130),))),
    (r"height cm", Limits("height in cm", ((10, 280),), zero_possible=False)),
    (r"weight kg", Limits("weight in kg", ((0.2, 700),), zero_possible=False)),
    (r"bmi|body mass index", Limits("body mass index", ((3, 300),), zero_possible=False)),
    (r"heart rate|pulse|pulse rate", Limits("heart rate", ((0, 500),), zero_possible=False)),
    (r"respiration rate|respiratory rate", Limits("respiration rate", ((0, 200),), zero_possible=False)),
    (
        r"(systolic|diastolic|mean arterial)( blood)?( pressure)?|sbp|dbp|blood pressure|resting blood pressure",
        Limits("blood pressure", ((0, 400),), zero_possible=False),
    ),
    (r"temperature|body temperature|temp c", Limits("body temperature", ((12, 48), (53, 120)), zero_possible=False)),
    (r"spo2|oxygen saturation|sao2", Limits("oxygen saturation", ((0, 100),), zero_possible=False)),
    (r"glucose|blood glucose|cholesterol|serum creatinine|creatinine", Limits("blood level", ((0, 1e6),), False)),
    (r"(length of|days of) stay( days)?|los days|time in hospital", Limits("length of stay", ((0, 1e5),))),
)


def limits_of(name: str) -> Limits | None:
    """The limits of the measure that a column name states, or None where it leaves doubt."""
    words = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    return next((limits for pattern, limits in _LIMITS if re.fullmatch(pattern, words)), None)


def impossible(values: Float[np.ndarray, " row"], limits: Limits) -> Bool[np.ndarray, " row"]:
    """Rows outside the limits; none for a column that was standardised, whose numbers are no measurements any more."""
    known = values[~np.isnan(values)]
    if not len(known) or _standardised(known):
        return np.zeros(len(values), dtype=bool)
    outside = [(values < low) | (values > high) for low, high in limits.ranges]
    outside = [o & ~((values == 0) & (not limits.zero_possible)) for o in outside]
    return min(outside, key=lambda o: int(o.sum()))


def possible_range(name: str, lowest: float, highest: float) -> tuple[float, float] | None:
    """The limits of the measure that a column name states, in the unit in which known values of it are.

    None where the name leaves doubt, or the known values are no such measurements, as after a standardisation.

    Args:
        name: Of the column.
        lowest: The lowest known value.
        highest: The highest one.
    """
    limits = limits_of(name)
    ranges = () if limits is None else limits.ranges
    return next(((low, high) for low, high in ranges if low <= lowest and highest <= high), None)


def zeros_stand_apart(column: pl.Series) -> bool:
    """Whether 0 looks like a sign for "not measured": all other values lie far above it, with a gap in between.

    The gap below the smallest positive value is at least ten times the usual distance between neighbouring values,
    and zeros are less than 60 % of the known values.
    """
    known = column.drop_nulls()
    zeros = int((known == 0).sum())
    positive = np.unique(known.filter(known > 0).to_numpy().astype(np.float64))
    if not zeros or zeros > 0.6 * len(known) or len(positive) < 20 or bool((known < 0).any()):
        return False
    return bool(positive[0] >= 10 * np.median(np.diff(positive)) and positive[0] > 0.2 * np.median(positive))


def _standardised(known: Float[np.ndarray, " value"]) -> bool:
    scaled = abs(float(known.mean())) < 0.2 and 0.5 < float(known.std()) < 1.5
    return bool((scaled and known.min() < 0) or (known.min() >= 0 and known.max() <= 1))
