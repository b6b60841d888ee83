"""Everything that report and card are made from, in one record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from polyclinic.delivery.cohort_document import CohortDocument
from polyclinic.delivery.documents import EvidenceDocument
from polyclinic.delivery.words import Words
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Picture
from polyclinic.study.schema import Study


@dataclass(frozen=True)
class EpochLosses:
    """Losses after one pass over the training rows.

    Attributes:
        number: From 1.
        train: Mean loss on training rows, or None where it was not measured.
        tune: Mean loss on tune rows, or None.
    """

    number: int
    train: float | None
    tune: float | None


@dataclass(frozen=True)
class FitHistory:
    """How one model learned.

    Attributes:
        name: Repetition, fold and member, such as "0-0-0".
        epochs: In order.
        best: Number of the epoch whose weights were kept, or None.
    """

    name: str
    epochs: tuple[EpochLosses, ...]
    best: int | None = None


@dataclass(frozen=True)
class PartCount:
    """How many stand in one part of the split; in a cross-validation, in one fold on average.

    Attributes:
        part: "train", "tune" or "test".
        rows: Rows of the table.
        patients: Different patients.
    """

    part: str
    rows: float
    patients: float


@dataclass(frozen=True)
class RunFacts:
    """What happened in the run, for whoever wants to repeat it.

    Attributes:
        study_text: The resolved study file, every default written out.
        split_hash: sha256 of `split.parquet`.
        versions: Version by package, as the user would type its name.
        processor: What did the work, in words.
        precision: "fp32" or "bf16".
        minutes: Wall-clock time of the run; None leaves it out, so that two runs give the same page.
        parameters: Number of weights of one model.
        parts: Sizes of train, tune and test.
        histories: How each fit learned.
        notes: Sentences by input name on how that input was prepared.
    """

    study_text: str = ""
    split_hash: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    processor: str = ""
    precision: str = ""
    minutes: float | None = None
    parameters: int | None = None
    parts: tuple[PartCount, ...] = ()
    histories: tuple[FitHistory, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
        marked: Records with the answer and the truth drawn on them, by target and row, where the question is dense.
    """

    study: Study
    cohort: CohortDocument
    evidence: EvidenceDocument
    predictions: Predictions | None = None
    facts: RunFacts = RunFacts()
    pictures: Mapping[int, tuple[Picture, ...]] = field(default_factory=dict)
    marked: Mapping[str, Mapping[int, Picture]] = field(default_factory=dict)

    @cached_property
    def say(self) -> Words:
        """Phrases in the language of the study."""
        return Words(self.study.study.language)

    @property
    def test(self) -> Predictions | None:
        """Predictions of the test rows."""
        return None if self.predictions is None else self.predictions.part("test")
