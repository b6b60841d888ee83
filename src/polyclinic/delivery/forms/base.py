"""What every form of answer says about how it is delivered: for new patients, and in the report."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.answers.base import Answer
from polyclinic.delivery.figures.chances import (
    ClassWords,
    calibration_figure,
    further_curves,
    precision_recall_by_class,
    roc_by_class,
    separation,
)
from polyclinic.delivery.figures.counted import headline_in_words, in_a_thousand
from polyclinic.delivery.markup import EMPTY, Element
from polyclinic.delivery.names import metric_name
from polyclinic.delivery.numbers import cell, number, with_unit
from polyclinic.evidence.metrics.thresholds import ScoredSamples, choose
from polyclinic.evidence.records import Mistake, OperatingPoint, TargetEvidence
from polyclinic.study import catalogue
from polyclinic.study.threshold import YOUDEN, ThresholdRule
from polyclinic.translations.phrase import Phrase

Column = pl.Series | np.ndarray | list[str] | list[str | None] | list[list[float]]
Columns = Mapping[str, Column]


@dataclass(frozen=True)
class AnswerFiles:
    """Where the files of one answer belong, and what they are about.

    Attributes:
        folder: Folder of the files.
        stem: Start of their names: row and target, nothing of the patient.
        source: The record's own file or folder, or ``file.npz#array[index]``; None where there is none.
    """

    folder: Path
    stem: str
    source: str | None

    def path(self, ending: str) -> Path:
        """The path of one of the files."""
        return self.folder / f"{self.stem}{ending}"


@dataclass(frozen=True)
class AnswerLimits:
    """What answers for new patients are held against.

    Attributes:
        tune: Answers of the same model for tune rows, with the truth: intervals are calibrated on them.
        confidence: Share of patients whose truth an interval or a set shall hold.
        stated: The operating point that the run recorded, or None where it recorded none.
        rule: By which a threshold is learned from the tune rows where none is recorded.
    """

    tune: Any
    confidence: float
    stated: OperatingPoint | None = None
    rule: ThresholdRule = YOUDEN

    def threshold(
        self, truth: Float[np.ndarray, " tuned"], chance: Float[np.ndarray, " tuned"], label: str = ""
    ) -> float:
        """The one threshold of the study: as recorded, else learned from these tune rows (an earlier version's run)."""
        recorded = None if self.stated is None else self.stated.threshold_of(label)
        known = np.isfinite(truth)
        scored = ScoredSamples(chance[known].astype(np.float64), truth[known], np.zeros(int(known.sum()), dtype=int))
        return choose(scored, np.zeros(1, dtype=int), self.rule).delivered if recorded is None else recorded


class Delivery(ABC):
    """How one form of answer is delivered. It is found by the form's word and holds nothing.

    Attributes:
        words: What ``evidence.json`` may call the form, where that is not the form's own word.
        class_words: How its classes are spoken of.
        class_metrics: Those that the table of classes has room for, where there are many; empty = all.
        record_metric: The metric of one record from which its loss is counted, or "".
        in_unit: Whether truth and answer are in the unit of the target.
        listed: Whether truth and answer list what is there, so that "none" is our word and no class of the user's.
    """

    words: ClassVar[tuple[str, ...]] = ()
    class_words: ClassVar[ClassWords] = ClassWords()
    class_metrics: ClassVar[tuple[str, ...]] = ()
    record_metric: ClassVar[str] = ""
    in_unit: ClassVar[bool] = False
    listed: ClassVar[bool] = False

    @abstractmethod
    def columns(self, answer: Any, limits: AnswerLimits) -> Columns:
        """The answer for new patients as columns of their table."""

    def thresholds(self, answer: Any, limits: AnswerLimits) -> Mapping[str, float]:
        """From which probability on the answer says a word, by that word. Most forms have no such threshold."""
        return {}

    def torn(self, answer: Any, limits: AnswerLimits) -> Bool[np.ndarray, " sample"]:
        """Where the model cannot choose between answers. Most forms never say so."""
        return np.zeros(len(answer), dtype=bool)

    def unanswered(self, answer: Any, limits: AnswerLimits) -> tuple[str, ...]:
        """Columns that stay empty because the patients of the study do not tell. Most forms have none."""
        return ()

    def silent(self, answer: Any) -> Bool[np.ndarray, " sample"]:
        """Where nothing was asked, so that nothing is answered."""
        return np.zeros(len(answer), dtype=bool)

    def files(self, answer: Any, position: int, files: AnswerFiles) -> tuple[str, ...]:
        """Write one row's answer as files; their names. Most forms have none."""
        return ()

    def figures(self, target: TargetEvidence, answer: Any) -> Iterator[Element]:
        """The figures of the report, in their order: unless a form knows better, of every curve that it names.

        Args:
            target: What was measured.
            answer: To each test row, once; None where predictions are not at hand.
        """
        yield from separation(target)
        yield from roc_by_class(target, self.class_words)
        yield from precision_recall_by_class(target, self.class_words)
        yield from further_curves(target)
        yield from calibration_figure(target)

    def first(self, target: TargetEvidence) -> Element:
        """What a clinician reads first: counts that can be pictured, or else the headline number in words."""
        return in_a_thousand(target) or headline_in_words(target)

    def confusions(self, target: TargetEvidence) -> Element:
        """Which class is taken for which; most forms do not say."""
        return EMPTY

    def case_order(self) -> str:
        """By what the best, the middle and the worst case are chosen."""
        if not self.record_metric:
            return Phrase("distance between answer and truth")
        return Phrase("{metric} of the record", metric=metric_name(self.record_metric))

    def case_words(self, case: Mistake) -> str:
        """How good the answer to one record is, in words; "" where only the picture tells."""
        if not self.record_metric:
            return ""
        return Phrase("{name} {value}", name=metric_name(self.record_metric), value=self._of_record(case))

    def mistake_head(self, unit: str) -> tuple[str, ...]:
        """What the table of mistakes says of each, beginning with what was true and what was answered."""
        unit = unit if self.in_unit else ""
        both = with_unit(Phrase("What was true"), unit), with_unit(Phrase("What the model said"), unit)
        return (*both, metric_name(self.record_metric)) if self.record_metric else both

    def mistake_cells(self, mistake: Mistake) -> tuple[str, ...]:
        """The same of one mistake; the loss by which mistakes are put in order tells a reader nothing."""
        both = self.words_of(mistake.truth), self.words_of(mistake.answer)
        return (*both, self._of_record(mistake)) if self.record_metric else both

    def words_of(self, value: str | float | None) -> str:
        """A truth or an answer as a cell of a table."""
        return Phrase("none") if value == "none" and self.listed else cell(value)

    def _of_record(self, case: Mistake) -> str:
        """The metric of one record."""
        return number(None if case.loss is None else 1 - case.loss, self.record_metric)


def delivery_of(answer: Answer) -> Delivery:
    """How this answer is delivered.

    Raises:
        StudyError: if no file and no installed package delivers its form.
    """
    return _delivery(answer.form)


def delivery_by_word(word: str) -> Delivery:
    """How answers are delivered that ``evidence.json`` calls by this word.

    Raises:
        StudyError: if there is no such form.
    """
    forms = catalogue.usable("delivery.forms")
    named = (form for form, delivery in forms.items() if form == word or word in delivery.words)
    return _delivery(next(named, word))


def _delivery(form: str) -> Delivery:
    delivery: type[Delivery] = catalogue.find("delivery.forms", form)
    return delivery()
