"""Everything that report and card are made from, in one record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from polyclinic.answers.base import Answer
from polyclinic.cohort.document import CohortDocument
from polyclinic.delivery.forms.base import Delivery, delivery_by_word
from polyclinic.delivery.plan import FitRecord
from polyclinic.evidence.records import Estimate, Evidence, TargetEvidence
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Picture
from polyclinic.study.schema import Study


@dataclass(frozen=True)
class PartCount:
    """How many stand in one part of the split; in a cross-validation, in one fold on average.

    Attributes:
        part: "train", "tune" or "test".
        rows: Rows of the table.
        patients: Different patients.
        events: Rows with the event, by the target that asks for its time.
    """

    part: str
    rows: float
    patients: float
    events: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFacts:
    """What happened in the run, for whoever wants to repeat it.

    Attributes:
        study_text: The resolved study file, every default written out.
        split_hash: sha256 of `split.parquet`.
        versions: Version by package, as the user would type its name.
        processor: What did the work, in words.
        precision: "fp32" or "bf16".
        parameters: Number of weights of one model.
        parts: Sizes of train, tune and test.
        folds: Tests in all: folds times repetitions.
        fits: How each model learned.
        notes: Sentences by input name on how that input was prepared.
        follow_up: Median follow-up of all patients, by the target that asks for the time to an event.
        day: Day on which the page is said to be made, as "2026-11-30"; "" = it is not, so that two runs give one page.
    """

    study_text: str = ""
    split_hash: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    processor: str = ""
    precision: str = ""
    parameters: int | None = None
    parts: tuple[PartCount, ...] = ()
    folds: int = 1
    fits: tuple[FitRecord, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    follow_up: Mapping[str, Estimate] = field(default_factory=dict)
    day: str = ""


@dataclass(frozen=True)
class Material:
    """What report and card are made from.

    Attributes:
        study: The resolved study.
        cohort: What stands in `cohort.json`.
        evidence: What stands in `evidence.json`.
        predictions: Ours, all parts; None leaves out the figures that need points.
        facts: What happened in the run.
        pictures: Records behind the worst mistakes, by row of the user's table.
        marked: Records with marks for the answer and the truth, by target and row, where the question is dense.
    """

    study: Study
    cohort: CohortDocument
    evidence: Evidence
    predictions: Predictions | None = None
    facts: RunFacts = RunFacts()
    pictures: Mapping[int, tuple[Picture, ...]] = field(default_factory=dict)
    marked: Mapping[str, Mapping[int, Picture]] = field(default_factory=dict)

    def about(self, name: str) -> "TargetMaterial":
        """The part that is about one target."""
        marked = self.marked.get(name)
        pictures = self.pictures if marked is None else {row: (picture,) for row, picture in marked.items()}
        evidence = self.evidence.targets[name]
        form = delivery_by_word(evidence.form)
        return TargetMaterial(name, form, evidence, self._answer(name), pictures, marked or {})

    def _answer(self, name: str) -> Answer | None:
        """Answers to the test rows of the first repetition: each row once."""
        if self.predictions is None or name not in self.predictions.answers:
            return None
        test = self.predictions.part("test")
        return test.take(np.flatnonzero(test.samples.repeat == 0)).answers[name]


@dataclass(frozen=True)
class TargetMaterial:
    """What the chapter of one target is made from.

    Attributes:
        name: The user's name of the target.
        form: How answers of its form are shown.
        evidence: What was measured.
        answer: To each test row, once; None leaves out the figures that need points.
        pictures: Records behind the worst mistakes, by row of the user's table; marked ones where there are some.
        marked: Records with marks for the answer and the truth, by row; none where the question is not dense.
    """

    name: str
    form: Delivery
    evidence: TargetEvidence
    answer: Answer | None
    pictures: Mapping[int, tuple[Picture, ...]]
    marked: Mapping[int, Picture]
