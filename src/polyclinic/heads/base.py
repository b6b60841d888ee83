"""What every kind of question promises. A kind is one final class in one file of this folder (or of a plug-in)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast, runtime_checkable

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from polyclinic.answers.base import Answer
from polyclinic.cohort.outcomes import rows_where
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import Finding, Severity
from polyclinic.geometry import Geometry, Ground, Known, Marks, Place
from polyclinic.study.options import Plan, TargetOptions
from polyclinic.tensors import Loss, Movement, Sight, TargetTensors


@dataclass(frozen=True)
class Target(ABC):
    """The outcome by row. Each kind adds its own arrays, one entry per sample.

    Attributes:
        known: False where the outcome is not known; such rows are neither learned from nor judged.
    """

    known: Bool[np.ndarray, " sample"]

    @abstractmethod
    def strata(self) -> Int[np.ndarray, " sample"]:
        """Group of each row by outcome, for stratified splits; -1 where the outcome is not known."""

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The target of some rows; here that means: of every array the rows."""
        arrays = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), np.ndarray)}
        return replace(self, **{name: values[index] for name, values in arrays.items()})

    def balance(self, rows: TrainRows) -> Float[np.ndarray, " row"] | None:
        """Weight of each of ``rows`` (mean 1) that would balance the outcome, or None where that has no meaning."""
        return None

    def rarest(self, index: Int[np.ndarray, " row"]) -> Mapping[str, int]:
        """How many of some rows had the event, or what is rarer, by what that is; here nothing is counted."""
        return {}

    def about(self, found: Any) -> Self:
        """What is asked once the answers of the ``finder`` are known."""
        return self

    def check(self, place: str) -> list[Finding]:
        """What is doubtful about the outcome; here that it is not known of some rows. Raises nothing."""
        rows = rows_where(~self.known)
        if not rows:
            return []
        found = f"it is not known for {len(rows)} of {len(self.known)} rows"
        remedy = "They are neither learned from nor judged."
        return [Finding("unknown_outcome", place, "the outcome may be missing", found, remedy, Severity.NOTE, rows)]

    def followed(self) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]] | None:
        """Whether an event was seen (1, 0) and after which time, NaN where not known; None of other questions."""
        return None

    def check_new(self) -> list[Finding]:
        """What is doubtful about what a table of new patients says of what is asked."""
        return []


Outcomes = tuple[pl.DataFrame, dict[str, Any]]
"""Synthetic columns of an outcome, and the keys of its section in the study file."""


class GridTruth(ABC):
    """The truth of all rows on the grid of the input that the question is asked on, or on its tokens."""

    @abstractmethod
    def aim(self, index: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Float[np.ndarray, "batch dim"]:
        """A point of each row's grid that a view should hold, so that what is rare is seen; NaN = anywhere."""

    @abstractmethod
    def collate(self, index: Int[np.ndarray, " batch"], movement: Movement) -> TargetTensors:
        """The truth of some rows, cut and moved as the views were."""


class Head(ABC):
    """A kind of question. Immutable: ``fit`` returns another one that holds the plan.

    The life of a head within a study::

        target  = kind.read_target(frame, table)       # all rows
        fitted  = kind.fit(target, train)               # classes, scale, time grid: from training rows only
        losses  = fitted.loss(output, tensors)          # one per row
        fitted  = fitted.calibrate(outputs, target, method)                   # those of tune rows only
        answer  = fitted.decode(outputs, target)        # calibrated, averaged over members
    """

    Options: ClassVar[type[TargetOptions]]
    Plan: ClassVar[type[Plan]]
    form: ClassVar[str]
    """The form of its answers: the name of the files, or entry points, that store, judge and deliver them."""
    mixup_safe: ClassVar[bool] = False
    """Whether the loss of a mixture may be the mixture of the losses."""
    strata_are_classes: ClassVar[bool] = False
    """Whether every group of ``strata`` is a class that must be trained and tested."""

    def __init__(self, name: str, options: Any, plan: Any = None) -> None:
        """``name`` is the user's word, ``options`` an ``Options``, ``plan`` a ``Plan`` once fitted."""
        self.name = name
        self.options = options
        self.plan = plan

    @property
    def ground(self) -> str | None:
        """Name of the input that the question is asked on; None where it is asked of all inputs together."""
        return None

    @property
    def finder(self) -> str | None:
        """Name of the target that finds what this one is about in tests and new patients; None where none does."""
        return None

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that hold the outcome; no input may use them."""

    def words(self) -> tuple[str, ...]:
        """Columns whose very text counts, such as names of classes: 2.10 is there another one than 2.1."""
        return ()

    @abstractmethod
    def read_target(self, frame: pl.DataFrame, table: str) -> Any:
        """The outcome columns to a ``Target``, all rows.

        Raises:
            CohortError: with all findings: no known outcome, one class only, impossible times, and so on.
        """

    def read_new(self, frame: pl.DataFrame, table: str) -> Any:
        """What a table of new patients says of what is asked about each; None where nothing has to be said."""
        return None

    @abstractmethod
    def fit(self, target: Any, rows: TrainRows) -> Self:
        """The same head with the constants learned from training rows only."""

    @abstractmethod
    def loss(self, output: Float[Tensor, "batch ..."], target: Any, smoothing: float = 0.0) -> Loss:
        """Loss of each row, averaged over members; 0 where the outcome is not known. Rows average to the loss."""

    def judged(self, output: Float[Tensor, "batch ..."], target: Any) -> Float[Tensor, " batch"]:
        """What tune rows are judged by after every epoch, lower = better: the loss, unless a kind knows better.

        A network may go on finding more while it grows too sure of itself: then its loss rises although its answers,
        whose confidence is corrected afterwards, get better.
        """
        return self.loss(output, target)

    @abstractmethod
    def calibrate(
        self, outputs: Any, target: Any, method: str, patient: Int[np.ndarray, " sample"] | None = None
    ) -> Self:
        """The same head with a correction learned from tune rows. ``outputs`` and ``target`` are those rows only.

        ``method`` is "auto", "temperature", "isotonic", or a word of ``decoding.recalibration.LEFT_ALONE``. After
        over- or undersampling the correction also moves the mean (that is what "auto" and "temperature" do here: scale
        and offset). ``patient`` is the number of each row's patient: all rows of one count together as one.
        """

    @abstractmethod
    def decode(self, outputs: Any, target: Any) -> Answer:
        """Outputs "sample member out" to answers, averaged over members; ``target`` holds the truth, or is None."""


class Global(Head):
    """A question about the patient as a whole: one answer for each row.

    Its life within a study, beside what every head has::

        output  = fitted.layer(width)(fused)            # "batch member out"
        losses  = fitted.loss(output, fitted.collate(target, index))          # one per row
    """

    @abstractmethod
    def layer(self, width: int, members: int = 1) -> nn.Module:
        """A module from ``Fused`` to ``Float[Tensor, "batch member out"]``.

        With ``members`` above 1 each member has weights of its own and ``Fused`` must have as many; with 1 the
        same weights serve however many members come.
        """

    @abstractmethod
    def collate(self, target: Any, index: Int[np.ndarray, " batch"]) -> TargetTensors:
        """Some rows of the target as tensors."""

    @classmethod
    @abstractmethod
    def example(cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], name: str) -> Outcomes:
        """Synthetic outcome columns driven by ``signal``; and the keys for the study file, ``kind`` left out."""


ForegroundOf = Callable[[int], Bool[np.ndarray, "*grid"] | None]
"""From a row to where its pixels hold something, in the geometry of the file; None where the kind does not say."""


@dataclass(frozen=True)
class GroundFacts:
    """What a dense question's files are held against.

    Attributes:
        geometry: Of each record, None where absent.
        foreground: What the pixels themselves tell of where to look, by row.
        folder: Of the table, where relative paths start.
        cache: Where decoded files may be kept, or None.
    """

    geometry: Sequence[Geometry | None]
    foreground: ForegroundOf
    folder: Path
    cache: Path | None


class DenseOptions(TargetOptions):
    """What every dense question accepts."""

    on: str
    """Name of the input on whose grid, or in whose text, the question is asked."""


@runtime_checkable
class Gatherer(Protocol):
    """Puts together what the network says about the windows of one record; its memory is bounded by the record's."""

    def add(self, output: Float[Tensor, "batch out *grid"], movement: Movement) -> None:
        """Take in some windows."""

    def close(self) -> Any:
        """What the network says about the whole record, in the geometry of the file and as compact as can be."""


class Dense(Head):
    """A question with an answer at every point of a grid or every token of a text: where, rather than whether.

    It lives on the grid of one input, ``options.on``, and moves with it. Its life within a study::

        target  = kind.read_target(frame, table)               # cells only: paths, or spans written down
        target  = kind.match(target, facts)              # files read, held against the records
        fitted  = kind.fit(target, train)
        truth   = fitted.on_grid(target, places, cache)        # once per fit
        tensors = truth.collate(index, movement)               # cut and moved as the view was
        losses  = fitted.loss(fitted.map_layer(sight)(fused), tensors)
        raw     = gatherer.close()                             # one per row, after all its windows
        fitted  = fitted.calibrate(raws, target, method)       # tune rows only
        answer  = fitted.decode(raws, target)

    ``raws`` is an array of objects, one for each row.
    """

    grounds: ClassVar[tuple[Ground, ...]] = ("picture", "volume")
    """On what kinds of place it can be asked."""
    mirror_safe: ClassVar[bool] = False
    """Whether the output for a mirrored window, mirrored back, is an answer for the window: nothing in it has a
    direction, and the gatherer averages what it is given for one place."""

    @property
    def ground(self) -> str:
        """Name of the input that the question is asked on."""
        on: str = self.options.on
        return on

    def words(self) -> tuple[str, ...]:
        """All its columns: they hold paths or sentences."""
        return self.columns()

    @abstractmethod
    def match(self, target: Any, facts: GroundFacts) -> Any:
        """The target with its files read and held against the records that it is about, all rows.

        Raises:
            CohortError: with all findings: another size or orientation, names not declared, offsets beside the text.
            ReadError: with all findings: files that cannot be read.
        """

    @abstractmethod
    def on_grid(self, target: Any, places: Sequence[Place | None], cache: Path | None) -> GridTruth:
        """The truth of all rows on the network's grid."""

    @abstractmethod
    def map_layer(self, sight: Sight) -> nn.Module:
        """A module from ``Fused`` to one tensor "batch out *grid", from ``fused.inputs[self.options.on].maps``."""

    @abstractmethod
    def gatherer(self, place: Place) -> Gatherer:
        """An empty gatherer for one record."""

    @abstractmethod
    def marks(self, answer: Any, position: int) -> Marks:
        """What one answer and its truth point at, for a picture."""

    @classmethod
    @abstractmethod
    def example_on(cls, rng: np.random.Generator, known: Sequence[Known], folder: Path, name: str) -> Outcomes:
        """Synthetic outcome columns, and files under ``folder``, that tell what is to be found; keys without ``on``."""


def objects(raws: Sequence[Any]) -> Shaped[np.ndarray, " sample"]:
    """One object per sample, as ``calibrate`` and ``decode`` of a dense question take them."""
    array = np.empty(len(raws), dtype=object)
    for position, raw in enumerate(raws):
        array[position] = raw
    return array


Kind = TypeVar("Kind", bound=Head, covariant=True)


@dataclass(frozen=True)
class Question(Generic[Kind]):
    """A head bound to its target: what is asked, and what is known of it, row by row.

    Attributes:
        head: The kind of question, fitted or not yet.
        target: The outcomes; of new patients what their table says of what is asked, or None.
    """

    head: Kind
    target: Target | None

    @property
    def outcomes(self) -> Target:
        """The target, where there must be one."""
        assert self.target is not None, "nothing is known of these patients"
        return self.target

    @property
    def name(self) -> str:
        """The user's word for it."""
        return self.head.name

    def fit(self, rows: TrainRows) -> Self:
        """The same with the constants learned from training rows."""
        return replace(self, head=self.head.fit(self.target, rows))

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The same about some rows."""
        return self if self.target is None else replace(self, target=self.target.take(index))

    def calibrate(
        self, outputs: Shaped[np.ndarray, "sample ..."], method: str, patient: Int[np.ndarray, " sample"]
    ) -> Self:
        """The same with a correction learned from these rows, which must be tune rows of these patients."""
        return replace(self, head=self.head.calibrate(outputs, self.target, method, patient))

    def decode(self, outputs: Shaped[np.ndarray, "sample ..."], found: Answer | None = None) -> Answer:
        """The answers of these rows; ``found`` are those of the finder."""
        return self.head.decode(outputs, self.target if found is None else self.outcomes.about(found))


def global_questions(questions: Mapping[str, Question[Head]]) -> dict[str, Question[Global]]:
    """Those about the patient as a whole."""
    return {n: cast(Question[Global], q) for n, q in questions.items() if isinstance(q.head, Global)}


def dense_questions(questions: Mapping[str, Question[Head]], ground: str | None = None) -> dict[str, Question[Dense]]:
    """Those about places, on one ``ground`` or on all."""
    dense = {n: cast(Question[Dense], q) for n, q in questions.items() if isinstance(q.head, Dense)}
    return {name: question for name, question in dense.items() if ground in (None, question.head.ground)}
