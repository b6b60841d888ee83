"""The evidence of a run as records, and the JSON document made of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from polyclinic.evidence.intervals import Difference, Estimate
from polyclinic.evidence.metrics.calibration import CurvePoint
from polyclinic.evidence.metrics.kaplan_meier import LogRank

FORMAT = 1
DIGITS = 9
"""Significant digits of the document: more than anybody needs, fewer than the order of a sum can change."""

Estimates = Mapping[str, Estimate]


@dataclass(frozen=True)
class Tested:
    """What the figures stand on: different rows and patients of the test, and how they were divided."""

    rows: int
    patients: int
    folds: int
    repeats: int
    positives: int | None = None
    per_class: Mapping[str, int] | None = None
    events: int | None = None


@dataclass(frozen=True)
class Curve:
    """A curve with its band, at most 200 points."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class OverTime:
    """A figure at several moments of follow-up, with its band."""

    times: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class GroupSurvival:
    """Kaplan-Meier curve of a third of the patients by predicted risk."""

    group: str
    times: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """The curves of a target; each form of answer has its own."""

    roc: Curve | None = None
    precision_recall: Curve | None = None
    roc_per_class: Mapping[str, Curve] | None = None
    precision_recall_per_class: Mapping[str, Curve] | None = None
    froc: Curve | None = None
    kaplan_meier: tuple[GroupSurvival, ...] | None = None
    log_rank: LogRank | None = None
    auc_over_time: OverTime | None = None
    brier_over_time: OverTime | None = None


@dataclass(frozen=True)
class OperatingPoint:
    """The decision rule and its threshold in each fold; for labels, the thresholds of each label."""

    rule: str
    thresholds: tuple[float, ...]
    label_thresholds: Mapping[str, tuple[float, ...]] | None = None


@dataclass(frozen=True)
class Calibration:
    """Calibration before and after the correction learned on tune rows, as figures and as curves.

    Attributes:
        horizon: For survival: the time at which the predicted chance of an event is held against what happened.
    """

    before: Estimates
    after: Estimates
    curve: tuple[CurvePoint, ...]
    curve_before: tuple[CurvePoint, ...] | None = None
    horizon: float | None = None


@dataclass(frozen=True)
class Subgroup:
    """The headline figures of some of the patients."""

    column: str
    value: str
    n: int
    metrics: Estimates


@dataclass(frozen=True)
class Baseline:
    """A plain model on the same rows, and ours minus it over the same draws of patients.

    Attributes:
        curve: The line that the form compares by, where it has one.
    """

    metrics: Estimates
    difference: Mapping[str, Difference]
    curve: Curve | None = None


@dataclass(frozen=True)
class BestBaseline:
    """The plain model that was best on tune rows."""

    name: str
    metrics: Estimates


@dataclass(frozen=True)
class Mistake:
    """One of the answers that were furthest from the truth. Says the row, never anything else about the patient."""

    row: int
    truth: str | float
    answer: str | float
    loss: float
    event: int | None = None


@dataclass(frozen=True)
class Cases:
    """Three answers to look at: the one nearest to the truth, one in the middle, the one furthest from it."""

    best: Mistake
    median: Mistake
    worst: Mistake


@dataclass(frozen=True)
class TargetEvidence:
    """What the answers to one question are worth. The names are those of ``evidence.json``.

    Attributes:
        cases: By distance from the truth; rows where there is nothing to see are passed over where others are left.
        degenerate: Resamples in which a metric could not be judged, where there were any; intervals leave them out.
        confusion: Different rows by true class (down) and decided class (across), of the first repetition.
    """

    form: str
    counts: Tested
    headline: tuple[str, ...]
    metrics: Estimates
    per_class: Mapping[str, Estimates]
    calibration: Calibration
    curves: Curves
    subgroups: tuple[Subgroup, ...]
    subgroup_note: str
    baselines: Mapping[str, Baseline]
    verdict: str
    worst: tuple[Mistake, ...]
    degenerate: Mapping[str, int]
    cases: Cases | None = None
    classes: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    unit: str | None = None
    operating_point: OperatingPoint | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    baseline: BestBaseline | None = None


@dataclass(frozen=True)
class Evidence:
    """What the answers of a run are worth, by the user's own target names."""

    confidence: float
    resamples: int
    seed: int
    targets: Mapping[str, TargetEvidence]

    def document(self) -> dict[str, Any]:
        """The evidence as ``evidence.json`` holds it: plain, finite, the same bytes for the same predictions."""
        return {"format": FORMAT, **plain(self)}


def plain(value: object) -> Any:
    """Records, arrays and numbers as JSON has them. What is not finite becomes null; empty options are left out."""
    if is_dataclass(value):
        named = [(f, getattr(value, f.name)) for f in fields(value)]
        return {f.name: plain(v) for f, v in named if not (v is None and f.default is not MISSING)}
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
