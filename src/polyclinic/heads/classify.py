"""One of several classes: is this tumour malignant, which of four rhythms is this."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from polyclinic.answers.classes import ClassAnswer
from polyclinic.cohort.alike_words import alike_classes
from polyclinic.cohort.ordered_classes import order_of
from polyclinic.cohort.outcome_coding import cell_meant
from polyclinic.cohort.outcomes import absent_columns, nameable, numbers, rows_where, spell, words
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration, two_sided
from polyclinic.errors import CohortError, Finding, Severity, stop_on
from polyclinic.heads import base
from polyclinic.layers.readout import Readout
from polyclinic.study.catalogue import unknown
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import Loss, TargetTensors

_CODES = 20  # more different fractions than this are a measurement; a round number
_MOST_CLASSES = 200  # more is an identifier, not an outcome; a round number
_FEW = 10  # rows of a class below which there is a warning; a round number


class ClassifyOptions(TargetOptions):
    """Keys of a target of kind "classify"."""

    column: str
    """Column that holds the class: text, whole numbers or true/false. An empty cell means: not known."""
    positive: bool | int | float | str | None = None
    """With two classes, the one whose probability is given. By default true, the larger number or the rarer text."""
    classes: tuple[bool | int | float | str, ...] | None = Field(default=None, min_length=2)
    """All classes in the order in which reports list them; by default ascending, the positive one of two last."""


class ClassifyPlan(Plan):
    """What a classify head learned."""

    classes: tuple[str, ...]
    prior: tuple[float, ...]
    """Share of each class among training rows."""
    correction: Recalibration = Recalibration()

    @model_validator(mode="after")
    def _of_these_classes(self) -> Self:
        if not self.correction.fits(len(self.classes)):
            raise ValueError("the correction is of another number of classes")
        return self


@dataclass(frozen=True)
class ClassTarget(base.Target):
    """The class of each row.

    Attributes:
        truth: Index into ``classes``, -1 where not known.
        classes: Names; of two, the second is the positive one.
        assumed: True where the study does not say which class is the positive one.
        ordered: True where the classes are grades, such as stages.
    """

    truth: Int[np.ndarray, " sample"]
    classes: tuple[str, ...]
    assumed: bool
    ordered: bool = False

    def strata(self) -> Int[np.ndarray, " sample"]:
        """The class itself."""
        return self.truth

    def rarest(self, index: Int[np.ndarray, " row"]) -> Mapping[str, int]:
        """Rows of the class that has fewest."""
        return {"of the rarest class": int(np.bincount(_known(self.truth[index]), minlength=len(self.classes)).min())}

    def balance(self, rows: TrainRows) -> Float[np.ndarray, " row"]:
        """Weights under which all classes count alike: the inverse of how common the row's class is."""
        truth = self.truth[rows.index]
        count = np.bincount(_known(truth), minlength=len(self.classes))
        present = np.count_nonzero(count)
        each = len(_known(truth)) / (max(present, 1) * np.maximum(count, 1))
        return np.where(truth >= 0, each[truth], 1.0)

    def check(self, place: str) -> list[Finding]:
        """Unknown outcomes, an assumed positive class, a rare class, classes that differ in how they are typed only."""
        findings = super().check(place)
        if self.assumed:
            found = f'"{self.classes[1]}" is taken'
            remedy = f'Write positive = "{self.classes[1]}" to confirm.'
            findings.append(
                Finding("assumed_positive", place, "does not name the positive class", found, remedy, Severity.NOTE)
            )
        if self.ordered:
            rule, found = "the order of grades should count", "here a miss by one grade counts like a miss by three"
            remedy = 'Where the distance counts, and the grades are numbers, write kind = "regress".'
            findings.append(Finding("ordered_classes", place, rule, found, remedy, Severity.NOTE))
        count = np.bincount(_known(self.truth), minlength=len(self.classes))
        if count.min() < _FEW:
            found = f"the rarest has {count.min()} rows"
            remedy = "Expect wide intervals; group rare classes where the question allows."
            findings.append(
                Finding("rare_class", place, f"every class should have {_FEW} rows", found, remedy, Severity.WARNING)
            )
        return [*findings, *alike_classes(self.classes, place)]


@dataclass(frozen=True)
class ClassTensors(TargetTensors):
    """The class of each row of a batch, 0 where not known."""

    truth: Int[Tensor, " batch"]


class Classify(base.Global):
    """Which of several classes a patient belongs to, as a probability for each.

    Two classes have one output, the log odds of the positive one; more have one output each. Probabilities are
    corrected on tune rows and averaged over members.
    """

    Options = ClassifyOptions
    Plan = ClassifyPlan
    form = "classes"
    mixup_safe = True
    strata_are_classes = True

    def columns(self) -> tuple[str, ...]:
        """The column of the class."""
        return (self.options.column,)

    def words(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.columns()

    def read_target(self, frame: pl.DataFrame, table: str) -> ClassTarget:
        """The class of each row.

        Raises:
            CohortError: no such column, no known class, one class only, a class with one row, an unknown positive.
        """
        stop_on(absent_columns(frame, self.columns(), f"[targets.{self.name}] column", table), CohortError)
        place = f'{table} column "{self.options.column}"'
        column = frame[self.options.column]
        cells = words(column)
        if self.plan is None:
            stop_on(_findings(self.options, f"[targets.{self.name}]", cells, column, place), CohortError)
            classes = _order(self.options, cells)
        else:
            classes = self.plan.classes
            stop_on(_strangers(cells, classes, place), CohortError)
        position = {name: index for index, name in enumerate(classes)}
        truth = np.array([-1 if cell is None else position[cell] for cell in cells], dtype=np.int64)
        assumed = len(classes) == 2 and self.options.positive is None and self.options.classes is None
        ordered = order_of(self.options.column, classes) is not None
        return ClassTarget(truth >= 0, truth, classes, assumed, ordered)

    def fit(self, target: ClassTarget, rows: TrainRows) -> Self:
        """Learn how common each class is among training rows."""
        count = np.bincount(_known(target.truth[rows.index]), minlength=len(target.classes)) + 0.5
        prior = tuple(float(share) for share in count / count.sum())
        return type(self)(self.name, self.options, ClassifyPlan(classes=target.classes, prior=prior))

    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A linear readout that starts at how common each class is."""
        log_prior = np.log(self.plan.prior)
        start = log_prior[1:] - log_prior[:1] if len(log_prior) == 2 else log_prior - log_prior.mean()
        return Readout(width, start, members)

    def collate(self, target: ClassTarget, index: Int[np.ndarray, " batch"]) -> ClassTensors:
        """The classes of some rows."""
        truth = torch.from_numpy(target.truth[index])
        return ClassTensors(truth >= 0, truth.clamp(min=0))

    def loss(self, output: Float[Tensor, "batch member out"], target: ClassTensors, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of each row, averaged over members, in nats.

        ``smoothing`` is the share of the label that is spread evenly over all classes.
        """
        wide = output.float() if output.dtype in (torch.bfloat16, torch.float16) else output
        if wide.shape[2] == 1:
            goal = target.truth.to(wide.dtype) * (1 - smoothing) + smoothing / 2
            each = F.binary_cross_entropy_with_logits(
                wide[..., 0], goal[:, None].expand(wide.shape[:2]), reduction="none"
            )
        else:
            truth = target.truth[:, None].expand(wide.shape[:2])
            each = F.cross_entropy(wide.movedim(2, 1), truth, reduction="none", label_smoothing=smoothing)
        return torch.where(target.known, each.mean(dim=1), 0.0)

    def calibrate(
        self,
        outputs: Float[np.ndarray, "sample member out"],
        target: ClassTarget,
        method: str,
        patient: Int[np.ndarray, " sample"] | None = None,
    ) -> Self:
        """Learn scale and offset, or an isotonic curve, from tune rows with a known class."""
        known = target.known
        whose = None if patient is None else patient[known]
        correction = recalibration.learn(_logits(outputs[known]), _known(target.truth), method, whose)
        return type(self)(self.name, self.options, self.plan.model_copy(update={"correction": correction}))

    def decode(self, outputs: Float[np.ndarray, "sample member out"], target: ClassTarget | None) -> ClassAnswer:
        """Outputs to probabilities, corrected and averaged over members."""
        logits = _logits(outputs)
        truth = np.full(len(outputs), np.nan)
        if target is not None:
            truth = np.where(target.known, target.truth, np.nan)
        corrected = recalibration.apply(self.plan.correction, logits)
        return ClassAnswer(self.plan.classes, corrected, recalibration.apply(Recalibration(), logits), truth)

    @classmethod
    def example(cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str) -> base.Outcomes:
        """Two classes, "no" and "yes"; the log odds of "yes" are 3 times the signal minus 0.5."""
        yes = rng.random(len(signal)) < 1 / (1 + np.exp(0.5 - 3 * signal))
        return pl.DataFrame({name: np.where(yes, "yes", "no")}), {"column": name, "positive": "yes"}


def _findings(
    options: ClassifyOptions, section: str, cells: Sequence[str | None], column: pl.Series, place: str
) -> list[Finding]:
    """Everything that stops the study, in one pass."""
    count = Counter(cell for cell in cells if cell is not None)
    if not count:
        found = f"all {len(cells)} cells are empty"
        return [Finding("no_outcome", place, "must hold the outcome", found, "Name another column.")]
    if len(count) == 1:
        rule, remedy = "needs at least two classes", "Name another column, or include patients without the outcome."
        return [Finding("one_class", place, rule, "every known cell is the same", remedy)]
    value = numbers(column).value
    measured = column.dtype.is_float() and len(count) > _CODES and bool(np.any(value[~np.isnan(value)] % 1))
    if measured or len(count) > _MOST_CLASSES:
        remedy = 'For a number write kind = "regress"; else group the classes.'
        return [Finding("too_many_classes", place, "must hold classes", f"{len(count)} distinct values", remedy)]
    return [*_lonely(cells, count, place), *_unknown_words(options, section, cells, place)]


def _unknown_words(options: ClassifyOptions, section: str, cells: Sequence[str | None], place: str) -> list[Finding]:
    """``positive`` and ``classes`` against what the column holds."""
    held = {cell for cell in cells if cell is not None}
    offered = nameable(cells)
    positive, listed = options.positive, options.classes
    findings = []
    if positive is not None and cell_meant(positive, held) is None:
        findings.append(unknown(f"{section} positive", "positive class", spell(positive), offered))
    if positive is not None and len(held) > 2:
        rule, remedy = "positive is for two classes", "Leave positive out, or make the column yes or no."
        findings.append(Finding("positive_of_many", f"{section} positive", rule, f"{len(held)} classes", remedy))
    for word in listed or ():
        if cell_meant(word, held) is None:
            findings.append(unknown(f"{section} classes", "class", spell(word), offered))
    left = held - {cell_meant(word, held) for word in listed} if listed else set()
    if left:
        rows = rows_where(np.array([cell in left for cell in cells]))
        rule, remedy = f"every cell must be one of the classes of {section}", "Add the class, or exclude the rows."
        findings.append(Finding("unlisted_class", place, rule, f"{len(left)} other values", remedy, rows=rows))
    return findings


def _order(options: ClassifyOptions, cells: Sequence[str | None]) -> tuple[str, ...]:
    """Classes in order, the positive one of two last."""
    count = Counter(cell for cell in cells if cell is not None)
    held = set(count)
    if options.classes is not None:
        matches = (cell_meant(word, held) for word in options.classes)
        ordered = tuple(dict.fromkeys(match for match in matches if match is not None))
    else:
        # Numbers by size before text by letters.
        ordered = tuple(sorted(held, key=lambda name: (_number(name) is None, _number(name) or 0.0, name)))
    if len(ordered) != 2 or (options.positive is None and options.classes is not None):
        return ordered
    if options.positive is not None:
        positive = cell_meant(options.positive, held)
    else:
        # Of numbers, and of false and true, the larger class is the positive one by its nature; else the rarer one.
        truths = [name.lower() for name in ordered] == ["false", "true"]
        ordinal = truths or all(_number(name) is not None for name in ordered)
        positive = ordered[1] if ordinal or count[ordered[1]] <= count[ordered[0]] else ordered[0]
    return tuple(sorted(ordered, key=lambda name: name == positive))


def _known(truth: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " known"]:
    return truth[truth >= 0]


def _logits(outputs: Float[np.ndarray, "sample member out"]) -> Float[np.ndarray, "sample member klass"]:
    return two_sided(outputs[:, :, 0]) if outputs.shape[2] == 1 else outputs


def _number(name: str) -> float | None:
    try:
        return number if np.isfinite(number := float(name)) else None
    except ValueError:
        return None


def _lonely(cells: Sequence[str | None], count: Counter[str], place: str) -> list[Finding]:
    rows = rows_where(np.array([cell is not None and count[cell] == 1 for cell in cells]))
    if not rows:
        return []
    rule, remedy = "every class needs several patients", "Exclude the rows, join the class to another, or correct it."
    return [Finding("class_of_one", place, rule, "a class stands in one row only", remedy, rows=rows)]


def _strangers(cells: Sequence[str | None], classes: tuple[str, ...], place: str) -> list[Finding]:
    rows = rows_where(np.array([cell is not None and cell not in classes for cell in cells], dtype=bool))
    if not rows:
        return []
    remedy = f"The model knows: {', '.join(classes)}."
    return [Finding("unknown_class", place, "must hold classes the model knows", "some differ", remedy, rows=rows)]
