"""How much work trees may make: on very many columns they see those that go most with the outcome."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int
from scipy.stats import rankdata

from polyclinic.cohort.rows import Inner, TrainRows
from polyclinic.errors import Finding, Severity
from polyclinic.heads.base import Global, Question
from polyclinic.records.base import Features

PLAIN_SHARE = 0.2
"""Share of a cap in minutes that plain models are meant to take: they are for comparison. A round number."""
_PACE = 80e6
"""Cells that trees go through in a second on one core of 2024: 33 to 330 microseconds a round and column, by rows."""
_ROUNDS = 500  # as in boosting.py, where the tune rows usually say stop earlier
_LEAVES = 31  # of scikit-learn's largest tree
_CELLS_OF_LEAF = 200  # to look for a cut in a leaf costs as much as so many rows, measured
_FEWEST_OF_LEAF = 20  # rows of a leaf, as in boosting.py
_SECONDS = 30.0  # of one model without a cap, unless that left too few columns; a round number
_FEWEST_COLUMNS = 256  # a plain picture has 214, so that only wide tables are narrowed; a round number
_FEWEST_UNDER_CAP = (32, 500)  # columns and rows: with fewer it would be no comparison; round numbers


@dataclass(frozen=True)
class Effort:
    """What trees may look at.

    Attributes:
        columns: Features at most.
        rows: Training rows at most.
    """

    columns: int
    rows: int


def effort_for(rows: int, columns: int, outputs: int, seconds: float | None) -> Effort:
    """What trees may look at: a rule of the size of the table, so that the same study gives the same trees.

    Without a cap only columns are bounded. Under a cap first columns, then rows.

    Args:
        rows: Training rows.
        columns: Features.
        outputs: Numbers that are asked for: each takes trees of its own.
        seconds: Most seconds by the rule, or None without a cap.
    """
    free = Effort(min(columns, max(_FEWEST_COLUMNS, _fitting(rows, outputs, _SECONDS))), rows)
    if seconds is None or _seconds(free, outputs) <= seconds:
        return free
    fewest, fewest_rows = _FEWEST_UNDER_CAP
    kept = min(free.columns, max(fewest, _fitting(rows, outputs, seconds)))
    if _seconds(Effort(kept, rows), outputs) <= seconds:
        return Effort(kept, rows)
    fitting = int(seconds * _PACE / (_ROUNDS * outputs * max(kept, 1))) - _CELLS_OF_LEAF * _LEAVES
    return Effort(kept, min(rows, max(fewest_rows, fitting)))


def _fitting(rows: int, outputs: int, seconds: float) -> int:
    """How many columns of so many rows trees go through in time."""
    return int(seconds * _PACE / (_ROUNDS * outputs * _cells(rows)))


def _seconds(effort: Effort, outputs: int) -> float:
    return effort.columns * _cells(effort.rows) * _ROUNDS * outputs / _PACE


def plain_seconds(minutes: float | None, fits: int) -> float | None:
    """Seconds by the rule for the trees of each fit when a cap covers so many; None without a cap."""
    return None if minutes is None else PLAIN_SHARE * minutes * 60 / fits


def seconds_of(rows: int, columns: int, outputs: int, seconds: float | None) -> float:
    """How long trees take at most by the same rule, for an estimate."""
    return _seconds(effort_for(rows, columns, outputs, seconds), outputs)


def _cells(rows: int) -> int:
    """What one column costs in one round."""
    return rows + _CELLS_OF_LEAF * min(_LEAVES, max(1, rows // _FEWEST_OF_LEAF))


def choose_columns(features: Features, question: Question[Global], rows: TrainRows, most: int) -> Int[np.ndarray, " _"]:
    """The features that go most with the outcome in training rows: categories first, then numbers by rank correlation.

    The outcome is compared as the groups by which patients are divided: classes, quarters of a number, of a time.
    """
    matrix = features.matrix[rows.index]
    strata = question.take(rows.index).outcomes.strata()
    groups = (strata[:, None] == np.unique(strata[strata >= 0])).astype(np.float64)
    absent = np.isnan(matrix)
    ranks = rankdata(np.where(absent, np.inf, matrix), axis=0)
    middle = np.where(absent, 0.0, ranks).sum(axis=0) / np.maximum(1, (~absent).sum(axis=0))
    ranks = np.where(absent, 0.0, ranks - middle)
    size = np.sqrt((ranks**2).sum(axis=0))
    together = np.abs((groups - groups.mean(axis=0)).T @ ranks) / np.maximum(size, 1.0)
    strength = np.where(features.categorical, np.inf, together.max(axis=0, initial=0.0))
    return np.sort(np.argsort(-strength, kind="stable")[:most])


def narrow(features: Features, columns: Int[np.ndarray, " column"]) -> Features:
    """The same rows with some of the features."""
    return replace(
        features,
        matrix=features.matrix[:, columns],
        names=tuple(features.names[column] for column in columns),
        categorical=tuple(features.categorical[column] for column in columns),
    )


def fewer(rows: Inner, most: int, seed: int) -> Inner:
    """At most so many of the training rows, drawn evenly."""
    if len(rows.train) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(rows.train.index, most, replace=False)
    return replace(rows, train=TrainRows(np.sort(chosen)))


def bounded(target: str, effort: Effort, rows: int, columns: int, capped: bool) -> Finding | None:
    """What trees did not look at; None where they saw everything."""
    seen = [
        f"{few} of {all_} {what}"
        for few, all_, what in ((effort.columns, columns, "columns"), (effort.rows, rows, "training rows"))
        if few < all_
    ]
    if not seen:
        return None
    return Finding(
        name="boosting_bounded",
        place="study.toml [training] minutes" if capped else f"[targets.{target}]",
        rule="gradient boosting sees as much of a table as its time allows",
        found=f"for {target} it saw {' and '.join(seen)}, columns that go most with the outcome in training rows",
        remedy="Raise minutes." if capped else "None is needed: it would take longer in proportion to the columns.",
        severity=Severity.WARNING if capped else Severity.NOTE,
    )
