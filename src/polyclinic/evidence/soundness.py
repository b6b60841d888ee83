"""What makes answers impossible to judge, as findings with the rows that show it."""

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.errors import Finding

Rows = Shaped[np.ndarray, " sample"]
SUM_TOLERANCE = 1e-3
"""Chances written with three decimals still count as summing to 1."""


def broken(
    name: str, place: str, rule: str, remedy: str, bad: Shaped[np.ndarray, " sample"], rows: Rows
) -> list[Finding]:
    """A finding that names the rows marked ``bad``; none where there are none."""
    if not bad.any():
        return []
    hit = tuple(int(row) for row in np.unique(rows[bad]))
    found = "1 row breaks this" if len(hit) == 1 else f"{len(hit)} rows break this"
    return [Finding(name=name, place=place, rule=rule, found=found, remedy=remedy, rows=hit)]


def check_chances(chances: Float[np.ndarray, "sample klass"], rows: Rows, place: str) -> list[Finding]:
    """Every chance must be a number from 0 to 1."""
    bad = ~(np.isfinite(chances) & (chances >= 0) & (chances <= 1)).all(axis=1)
    rule = "every probability must be a number from 0 to 1"
    return broken("impossible_probability", place, rule, "Give probabilities, not percentages or logits.", bad, rows)


def check_simplex(chances: Float[np.ndarray, "sample klass"], rows: Rows, place: str) -> list[Finding]:
    """The chances of all classes must sum to 1."""
    bad = np.abs(chances.sum(axis=1) - 1) > SUM_TOLERANCE
    rule = "the probabilities of all classes must sum to 1"
    return broken("probability_sum", place, rule, "Give one probability for every class.", bad, rows)


def check_finite(values: Float[np.ndarray, " sample"], rows: Rows, place: str, what: str) -> list[Finding]:
    """Every value must be a finite number."""
    rule = f"every {what} must be a finite number"
    return broken("not_finite", place, rule, "Leave out rows that have no answer.", ~np.isfinite(values), rows)


def check_follow_up(
    event: Float[np.ndarray, " sample"], time: Float[np.ndarray, " sample"], rows: Rows, place: str
) -> list[Finding]:
    """Events must be 0 or 1 and times above 0."""
    wrong_event = np.isfinite(event) & (event != 0) & (event != 1)
    wrong_time = np.isfinite(time) & (time <= 0)
    return broken(
        "impossible_event", place, "every event must be 0 or 1", "Write 1 = seen, 0 = censored.", wrong_event, rows
    ) + broken("impossible_time", place, "every follow-up time must be above 0", "Correct the times.", wrong_time, rows)


def check_curves(survival: Float[np.ndarray, "sample point"], rows: Rows, place: str) -> list[Finding]:
    """A chance to be event-free must lie between 0 and 1 and never rise."""
    inside = np.isfinite(survival) & (survival >= -1e-9) & (survival <= 1 + 1e-9)
    falling = (np.diff(survival, axis=1) <= 1e-6).all(axis=1) if survival.shape[1] > 1 else True
    bad = ~(inside.all(axis=1) & falling)
    rule = "every survival curve must lie between 0 and 1 and never rise"
    return broken("impossible_survival", place, rule, "Give the chance of no event up to each time.", bad, rows)
