"""What every form of answer (a class, labels, a number, a course over time) says about how it is judged.

The judge of a form is found by the form's word, the name of its file here, or offered by an installed package.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from polyclinic.answers.base import Answer
from polyclinic.errors import Finding, StudyError, stop_on
from polyclinic.evidence.folds import Case, Layout, assess
from polyclinic.evidence.intervals import Sampled, estimate, limits, pick
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import (
    Calibration,
    Curve,
    CurvePoint,
    Estimate,
    Estimates,
    OperatingPoint,
    Shape,
    Tested,
)
from polyclinic.evidence.weights import Figures, Weights
from polyclinic.study import catalogue
from polyclinic.study.threshold import YOUDEN, ThresholdRule

GRID = np.linspace(0, 1, 101)
"""False-positive shares (ROC) and sensitivities (precision-recall) at which curves are given."""
Draws = UInt8[np.ndarray, "resample patient"]


@dataclass(frozen=True)
class Part:
    """Answers of one part (tune or test) with known truth, where each belongs, and how a threshold is chosen."""

    answer: Any
    layout: Layout
    threshold: ThresholdRule = YOUDEN


@dataclass(frozen=True)
class ComparedCurve:
    """A curve that is drawn of every model, ours and plain ones, and read off at the same points.

    Attributes:
        function: From a case and weights to one value for each point.
        grid: The points.
    """

    function: Callable[[Any, Weights | None], Figures]
    grid: Float[np.ndarray, " point"]


@dataclass(frozen=True)
class Judged:
    """A case with its draws and what the form's metrics found: what the details are made from."""

    case: Any
    layout: Layout
    draws: Draws
    confidence: float
    figures: Mapping[str, Sampled]

    def sample(self, metrics: Sequence[Metric]) -> dict[str, Sampled]:
        """Further metrics of the same samples on the same draws."""
        return assess(metrics, self.case, self.layout, self.draws)

    def estimate(self, name: str) -> Estimate:
        """A figure that was found already, with its interval."""
        return estimate(self.figures[name], self.confidence)

    def estimates(self, metrics: Sequence[Metric]) -> dict[str, Estimate]:
        """Further metrics with their intervals."""
        return {name: estimate(sampled, self.confidence) for name, sampled in self.sample(metrics).items()}

    def curve(self, name: str, function: Callable[[Any, Weights | None], Figures], grid: np.ndarray) -> Curve:
        """A curve with its band; without resamples the band is empty (NaN)."""
        sampled = self.sample([Metric(name, function, Better.HIGHER, "a curve")])[name]
        low, high = limits(sampled.resampled, self.confidence)
        return Curve(tuple(grid), tuple(sampled.value), tuple(low), tuple(high))

    def each(self, names: tuple[str, ...], metrics: Sequence[Metric]) -> dict[str, dict[str, Estimate]]:
        """Metrics that have one figure for each class or label, by its name."""
        found = self.sample(metrics)
        return {
            name: {metric: estimate(pick(sampled, k), self.confidence) for metric, sampled in found.items()}
            for k, name in enumerate(names)
        }

    def calibration(
        self, before: Sequence[Metric], curve: tuple[CurvePoint, ...], curve_before: tuple[CurvePoint, ...]
    ) -> Calibration:
        """How far chances may be taken at their word, before calibration and after."""
        found = self.estimates(before)
        return Calibration(found, {name: self.estimate(name) for name in found}, curve, curve_before)

    def once(self) -> np.ndarray:
        """The samples of the first repetition: every row at most once."""
        return np.flatnonzero(self.layout.repeat == self.layout.repeat.min())


@dataclass(frozen=True)
class Detail:
    """What a form adds to the metrics."""

    calibration: Calibration
    curves: Mapping[str, Shape] = field(default_factory=dict)
    per_class: Mapping[str, Estimates] = field(default_factory=dict)
    operating_point: OperatingPoint | None = None
    confusion: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Shown:
    """How far each answer is from the truth, and both in words or numbers for a table.

    Attributes:
        event: Whether the event, or the label of ``about``, was there.
        empty: Where nothing is there and nothing was found: right, but nothing to look at.
        chance: The predicted chance of the answer, or of the label of ``about``.
        about: The label that is furthest off, where several are answered at once.
    """

    loss: Float[np.ndarray, " sample"]
    truth: Shaped[np.ndarray, " sample"]
    answer: Shaped[np.ndarray, " sample"]
    event: Float[np.ndarray, " sample"] | None = None
    empty: Bool[np.ndarray, " sample"] | None = None
    chance: Float[np.ndarray, " sample"] | None = None
    about: Shaped[np.ndarray, " sample"] | None = None


class Judge(ABC):
    """How one form of answer is judged.

    Attributes:
        word: The form's name in ``evidence.json``: the name of its file, or what else the field says.
        words: The names in ``evidence.json`` of the judges that this class chooses from; () = it is one itself.
        headline: Names of the metrics to show first, the most important one first: it decides the verdict.
        metrics: All metrics, each a function of the form's case.
        line: The curve by which models are compared beside the headline, or None.
    """

    word: str
    words: ClassVar[tuple[str, ...]] = ()
    headline: tuple[str, ...]
    metrics: tuple[Metric, ...]
    line: ComparedCurve | None = None
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    unit: str | None = None

    @classmethod
    @abstractmethod
    def of(cls, answer: Any) -> "Judge":
        """The judge of answers like this one, with its names and unit."""

    @abstractmethod
    def known(self, answer: Any) -> Bool[np.ndarray, " sample"]:
        """Which samples have a known truth."""

    @abstractmethod
    def truth(self, answer: Any) -> Float[np.ndarray, "sample part"]:
        """The truth as numbers, to see whether two runs were judged against the same."""

    @abstractmethod
    def check(self, answer: Any, rows: np.ndarray, place: str) -> list[Finding]:
        """What makes answers impossible to judge, such as a chance above 1."""

    @abstractmethod
    def case(self, test: Part, tune: Part | None) -> Case:
        """The arrays to judge; whatever has to be chosen (a threshold) is chosen on ``tune``."""

    @abstractmethod
    def counts(self, answer: Any, layout: Layout) -> Tested:
        """What the figures stand on."""

    @abstractmethod
    def detail(self, judged: Judged) -> Detail:
        """Curves, calibration, figures per class."""

    @abstractmethod
    def show(self, case: Any) -> Shown:
        """How far each answer is from the truth."""

    def all_metrics(self) -> tuple[Metric, ...]:
        """The form's own metrics, and those that installed packages add to it."""
        added = {entry: metric for entry, metric in added_metrics().items() if metric.form == self.word}
        ours = {metric.name for metric in self.metrics}
        stop_on([_taken(entry) for entry, metric in added.items() if metric.name in ours], StudyError)
        return (*self.metrics, *added.values())

    def metric(self, name: str) -> Metric:
        """The metric of that name."""
        return next(metric for metric in self.metrics if metric.name == name)


class UnitJudge(Judge):
    """Judges answers that have a unit, and no names."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    @classmethod
    def of(cls, answer: Any) -> Self:
        """The judge of answers like this one."""
        return cls(answer.unit)


def judge_of(answer: Answer) -> Judge:
    """What judges this answer.

    Raises:
        StudyError: if no file and no installed package judges its form.
    """
    judge: type[Judge] = catalogue.find("evidence.forms", answer.form)
    return judge.of(answer)


def added_metrics() -> dict[str, Metric]:
    """Metrics of installed packages, by the names of their entry points.

    Raises:
        StudyError: if one cannot be loaded, is of a form that nothing judges, or has a name that is taken.
    """
    added = {entry: catalogue.find("metrics", entry) for entry in catalogue.names("metrics")}
    ours: dict[str, set[str]] = {}
    for judge in catalogue.usable("evidence.forms").values():
        ours |= {word: {metric.name for metric in judge.metrics} for word in judge.words or (judge.word,)}
    findings: list[Finding] = []
    seen: set[str] = set()
    for entry, metric in added.items():
        if not isinstance(metric, Metric):
            rule = "what is offered as a metric must be a Metric"
            findings.append(catalogue.refused("metrics", entry, rule, f"it is a {type(metric).__name__}"))
            continue
        if metric.form not in ours:
            place = f'package {catalogue.package("metrics", entry)}, form of the metric "{entry}"'
            findings.append(catalogue.unknown(place, "form that is judged", metric.form, tuple(sorted(ours))))
        elif metric.name in ours[metric.form] | seen:
            findings.append(_taken(entry))
        seen.add(metric.name)
    stop_on(findings, StudyError)
    return added


def _taken(entry: str) -> Finding:
    rule = "a metric of a package must have a name of its own"
    found = "a metric of the same form, or of another package, has that name"
    return catalogue.refused("metrics", entry, rule, found)


def described_metrics() -> tuple[Metric, ...]:
    """Metrics of every form and of installed packages that say what they are called in the report."""
    judges = catalogue.usable("evidence.forms").values()
    added = [metric for metric in catalogue.usable("metrics").values() if isinstance(metric, Metric)]
    return tuple(metric for metric in (*(m for judge in judges for m in judge.metrics), *added) if metric.title)


def counts_of(
    layout: Layout,
    per_class: Mapping[str, int] | None = None,
    positives: int | None = None,
    events: int | None = None,
) -> Tested:
    """Rows, patients, folds and repetitions of the samples, and what the form counts of them."""
    repeats = len(np.unique(layout.repeat))
    folds = len(np.unique(layout.fold)) // repeats
    return Tested(layout.rows, layout.patients, folds, repeats, positives, per_class or {}, events)


def first_of_rows(layout: Layout) -> np.ndarray:
    """One sample for each different row of the table."""
    return np.asarray(np.unique(layout.row, return_index=True)[1])


def tally(numbers: Sequence[np.ndarray], names: int) -> Float[np.ndarray, "sample name"]:
    """How often each class or label comes in each sample, from the numbers of those that are there."""
    counts = [np.bincount(one.astype(np.int64), minlength=names) for one in numbers]
    return np.array(counts, dtype=np.float64).reshape(len(counts), names)


def in_words(counts: Float[np.ndarray, "sample name"], names: Sequence[str]) -> np.ndarray:
    """What there is in each sample, as in "2 nodule, 1 cyst"."""
    rows = [[f"{int(n)} {name}" for n, name in zip(row, names, strict=True) if n] for row in counts]
    return np.array([", ".join(row) or "none" for row in rows], dtype=object)
