"""The evidence of a run as records. The JSON document is the record: what is written is read back as it was.

A number that is not known is null; a part that a form of answer does not have is left out. Whatever a document lacks
(an older one, say) is empty, and what it holds beyond is left alone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BeforeValidator, ConfigDict, JsonValue, TypeAdapter
from pydantic import Field as Choice
from pydantic.dataclasses import dataclass

from polyclinic.evidence.metric import Better

FORMAT = 1
DIGITS = 9
"""Significant digits of the document: more than anybody needs, fewer than the order of a sum can change."""

_LENIENT = ConfigDict(extra="ignore")
_EXACT = ConfigDict(extra="forbid")


def part(default: Callable[[], Any] | str | None = None) -> Any:
    """A field that is left out of the document where it holds its default."""
    if callable(default):
        return field(default_factory=default, metadata={"part": True})
    return field(default=default, metadata={"part": True})


def _known(value: Any) -> Any:
    """A number as Python has it; None where it is not known, or has no bound."""
    number = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


T = TypeVar("T")
Number = Annotated[float | None, BeforeValidator(_known)]
Cell = Annotated[str | int | float | None, BeforeValidator(_known)]
Numbers = tuple[Number, ...]


@dataclass(frozen=True, config=_LENIENT)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: The figure of the samples as they are; None where it cannot be had.
        low: Lower limit, or None where no interval was asked for or could be found.
        high: Upper limit, or None.
        n: Different rows of the user's table that it stands on; a difference between models has none.
    """

    value: Number = None
    low: Number = None
    high: Number = None
    n: int | None = part()


Estimates = Mapping[str, Estimate]
"""By metric name."""


@dataclass(frozen=True, config=_LENIENT)
class Tested:
    """What the figures stand on: different rows and patients of the test, and how they were divided."""

    rows: int | None = None
    patients: int | None = None
    folds: int | None = None
    repeats: int | None = None
    positives: int | None = part()
    per_class: Mapping[str, int] = part(dict)
    events: int | None = part()


@dataclass(frozen=True, config=_EXACT)
class Curve:
    """A curve with its band, at most 200 points."""

    x: Numbers = ()
    y: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()


@dataclass(frozen=True, config=_EXACT)
class OverTime:
    """A figure at several moments of follow-up, with its band."""

    times: Numbers
    value: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True, config=_EXACT)
class EventsByTime:
    """How many patients have the event by a time, and in which third by predicted risk they stood.

    Attributes:
        time: In the unit of the target.
        everyone: Share of all patients who have the event by then.
        thirds: The part of that share that stood in the lowest, middle and highest third; they add up to it.
        name: What the study calls the time; "" = it names none that enough patients are followed to.
    """

    time: Number
    everyone: Estimate
    thirds: tuple[Estimate, ...]
    name: str = part("")


@dataclass(frozen=True, config=_EXACT)
class GroupSurvival:
    """Kaplan-Meier curve of a third of the patients by predicted risk."""

    group: str = ""
    times: Numbers = ()
    survival: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()
    at_risk: tuple[int, ...] = ()


@dataclass(frozen=True, config=_EXACT)
class LogRank:
    """Whether groups differ in survival more than chance would make them."""

    chi_squared: Number
    p_value: Number


Shape = Annotated[
    dict[str, Curve] | Curve | OverTime | EventsByTime | LogRank | tuple[GroupSurvival, ...] | JsonValue,
    Choice(union_mode="left_to_right"),
]
"""What a form draws: a curve, one for each class, or any JSON that a form of another package knows how to draw."""


@dataclass(frozen=True, config=_LENIENT)
class OperatingPoint:
    """The decision rule and its threshold in each fold; for labels, the thresholds of each label.

    Attributes:
        delivered: The one threshold at which new patients are answered, from the tune rows of all folds; for labels
            ``label_delivered`` has that of each.
        chosen_for: The rule as a study writes it, "" where neither tune rows nor the study told the threshold.
    """

    rule: str = ""
    thresholds: Numbers = ()
    label_thresholds: Mapping[str, Numbers] = part(dict)
    delivered: Number = part()
    label_delivered: Mapping[str, Number] = part(dict)
    chosen_for: str | float = part("")

    def threshold_of(self, label: str = "") -> float | None:
        """The delivered threshold, of a label where there are several."""
        return self.label_delivered.get(label) if label else self.delivered


@dataclass(frozen=True, config=_LENIENT)
class CurvePoint:
    """Patients with a similar predicted chance: what was predicted, what was observed, within which limits."""

    predicted: Number = None
    observed: Number = None
    low: Number = None
    high: Number = None
    n: int | None = None


@dataclass(frozen=True, config=_LENIENT)
class Calibration:
    """Calibration before and after the correction learned on tune rows, as figures and as curves.

    Attributes:
        horizon: For survival: the time at which the predicted chance of an event is held against what happened.
    """

    before: Estimates = field(default_factory=dict)
    after: Estimates = field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()
    curve_before: tuple[CurvePoint, ...] = part(tuple)
    horizon: Number = part()


@dataclass(frozen=True, config=_LENIENT)
class Subgroup:
    """The headline figures of some of the patients."""

    column: str
    value: str
    n: int | None = None
    metrics: Estimates = field(default_factory=dict)


@dataclass(frozen=True, config=_LENIENT)
class Baseline:
    """A plain model on the same rows, and ours minus it over the same draws of patients.

    Attributes:
        name: Of the plain model that the verdict is about.
        curve: The line that the form compares by, where it has one.
        curves: Of a form without such a line: what is drawn of our model too, as thin lines without a band.
        calibration: The calibration curve, without intervals.
    """

    name: str = part("")
    metrics: Estimates = field(default_factory=dict)
    difference: Estimates = part(dict)
    curve: Curve | None = part()
    curves: Mapping[str, Curve] = part(dict)
    calibration: tuple[CurvePoint, ...] = part(tuple)


class Outcome(StrEnum):
    """What a comparison of two models amounts to, from the least favourable for ours to the most."""

    WORSE = "worse"
    UNDECIDED = "undecided"
    NOT_COMPARED = "not_compared"
    NOT_WORSE = "not_worse"
    BETTER = "better"


@dataclass(frozen=True, config=_LENIENT)
class HeldAgainst:
    """Ours held against another model on one metric, over the same draws of the same patients.

    Attributes:
        outcome: "better": the whole interval of the difference lies on our side of no difference. "not_worse": all of
            it is better than the margin allows. "worse": all of it lies on the other side, by however little.
            "undecided": none of these; it does not mean that both are equally good. "not_compared": a figure or an
            interval is lacking.
        model: The other one.
        difference: Ours minus theirs.
        margin: By how much ours may be worse and still be called not worse, in the metric; None = nobody said.
        among: With how many models ours was compared; this is the least favourable of these comparisons.
    """

    outcome: Outcome
    model: str
    metric: str
    better: Better
    ours: Estimate
    theirs: Estimate
    difference: Estimate
    margin: Number = None
    among: int = 1

    @property
    def lead(self) -> Estimate:
        """The difference, turned where lower is better: above 0 ours is ahead."""
        gap = self.difference
        if self.better is not Better.LOWER or gap.value is None:
            return gap
        return Estimate(-gap.value, None if gap.high is None else -gap.high, None if gap.low is None else -gap.low)

    @property
    def possible_loss(self) -> float | None:
        """How much worse ours may be, as far as the interval goes; 0 where it excludes that, None without one."""
        low = self.lead.low
        return None if low is None else max(0.0, -low)


@dataclass(frozen=True, config=_LENIENT)
class Mistake:
    """One of the answers that were furthest from the truth. Says the row, never anything else about the patient.

    Attributes:
        row: Of the user's table.
        truth: What was true.
        answer: What was answered.
        loss: How far the one is from the other; for the order of mistakes, not for the reader.
        event: 1 = the event, or the label of ``about``, was there; 0 = it was not.
        chance: The predicted chance of the answer, or of the label of ``about``.
        about: The label that was furthest off, where several are answered at once.
    """

    row: int
    truth: Cell = None
    answer: Cell = None
    loss: Number = None
    event: int | None = part()
    chance: Number = part()
    about: str | None = part()


@dataclass(frozen=True, config=_LENIENT)
class Cases:
    """Three answers to look at: the one nearest to the truth, one in the middle, the one furthest from it."""

    best: Mistake
    median: Mistake
    worst: Mistake


@dataclass(frozen=True, config=_LENIENT)
class TargetEvidence:
    """What the answers to one question are worth.

    Attributes:
        form: How the form of answer is called here; by it the report finds how to draw it.
        curves: What the form draws, by name.
        degenerate: Resamples in which a metric could not be judged, where there were any; intervals leave them out.
        cases: By distance from the truth; rows where there is nothing to see are passed over where others are left.
        confusion: Different rows by true class (down) and decided class (across), of the first repetition.
        verdict: How ours compares with plain models, in a sentence.
        comparison: The same as fields, of the plain model that ours compares with least favourably; None where there
            is none, or where less than a chance was judged.
        baseline: The plain model that the comparison is about.
    """

    form: str
    counts: Tested = Tested()
    headline: tuple[str, ...] = ()
    metrics: Estimates = field(default_factory=dict)
    per_class: Mapping[str, Estimates] = field(default_factory=dict)
    calibration: Calibration = Calibration()
    curves: Mapping[str, Shape] = field(default_factory=dict)
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_note: str = ""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    verdict: str = ""
    comparison: HeldAgainst | None = part()
    worst: tuple[Mistake, ...] = ()
    degenerate: Mapping[str, int] = field(default_factory=dict)
    cases: Cases | None = part()
    classes: tuple[str, ...] = part(tuple)
    labels: tuple[str, ...] = part(tuple)
    unit: str | None = part()
    operating_point: OperatingPoint | None = part()
    confusion: tuple[tuple[int, ...], ...] = part(tuple)
    baseline: Baseline | None = part()

    def shape_of(self, name: str, shape: type[T]) -> T | None:
        """What the form draws under that name, if it is of that shape."""
        found = self.curves.get(name)
        return found if isinstance(found, shape) else None

    def curve(self, name: str) -> Curve | None:
        """The curve of that name, if the form has one."""
        return self.shape_of(name, Curve)

    def curves_of(self, name: str) -> Mapping[str, Curve]:
        """Curves of that name by class or label; none where the form has none."""
        found = self.shape_of(name, dict) or {}
        return {key: curve for key, curve in found.items() if isinstance(curve, Curve)}

    def groups_of(self, name: str) -> tuple[GroupSurvival, ...]:
        """Survival by group under that name; none where the form has none."""
        return tuple(group for group in self.shape_of(name, tuple) or () if isinstance(group, GroupSurvival))


@dataclass(frozen=True, config=_LENIENT)
class Evidence:
    """What the answers of a run are worth, by the user's own target names."""

    confidence: float = 0.95
    resamples: int = 0
    seed: int = 0
    targets: Mapping[str, TargetEvidence] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The evidence as ``evidence.json`` holds it: plain, finite, the same bytes for the same predictions."""
        return {"format": FORMAT, **plain(self)}

    @staticmethod
    def read(document: Mapping[str, Any]) -> "Evidence":
        """The evidence out of such a document.

        Raises:
            ValidationError: if it is something else.
        """
        return TypeAdapter(Evidence).validate_python(document)


def plain(value: object) -> Any:
    """Records, arrays and numbers as JSON has them. What is not finite becomes null; empty parts are left out."""
    if is_dataclass(value):
        named = [(f, getattr(value, f.name)) for f in fields(value)]
        return {f.name: plain(v) for f, v in named if not (f.metadata.get("part") and v == _default(f))}
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _default(part: Field[Any]) -> object:
    return part.default if part.default_factory is MISSING else part.default_factory()
