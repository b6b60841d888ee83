"""What every form of answer says about how it is delivered for new patients."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from jaxtyping import Bool

from polyclinic.answers.base import Answer
from polyclinic.study import catalogue

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


class Delivery(ABC):
    """How one form of answer is delivered. It is found by the form's word and holds nothing.

    Attributes:
        words: What ``evidence.json`` may call the form, where that is not the form's own word.
    """

    words: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def columns(self, answer: Any, tune: Any, confidence: float) -> Columns:
        """The answer as columns of the table of new patients.

        Args:
            answer: For the new patients.
            tune: Of the same model for tune rows, with the truth: intervals are calibrated on them.
            confidence: Share of patients whose truth an interval or a set shall hold.
        """

    def torn(self, answer: Any, tune: Any, confidence: float) -> Bool[np.ndarray, " sample"]:
        """Where the model cannot choose between answers. Most forms never say so."""
        return np.zeros(len(answer), dtype=bool)

    def silent(self, answer: Any) -> Bool[np.ndarray, " sample"]:
        """Where nothing was asked, so that nothing is answered."""
        return np.zeros(len(answer), dtype=bool)

    def files(self, answer: Any, position: int, files: AnswerFiles) -> tuple[str, ...]:
        """Write one row's answer as files; their names. Most forms have none."""
        return ()


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
    forms = catalogue.names("delivery.forms")
    named = (form for form in forms if form == word or word in catalogue.find("delivery.forms", form).words)
    return _delivery(next(named, word))


def _delivery(form: str) -> Delivery:
    delivery: type[Delivery] = catalogue.find("delivery.forms", form)
    return delivery()
