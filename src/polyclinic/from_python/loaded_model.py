"""A trained model in memory: asked with frames, answering with frames."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.delivery.notebook import Card
from polyclinic.errors import BundleError, Finding, FindingWarning, Severity
from polyclinic.formats.frames import Frame, as_given, given_table
from polyclinic.steps.opened_model import OpenedModel
from polyclinic.steps.predict import AnsweredTable, answer_table


@runtime_checkable
class _Choice(Protocol):
    """An answer that gives a probability for each of several classes."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def probabilities(self) -> Float[np.ndarray, "patient klass"]: ...


@runtime_checkable
class RowLike(Protocol):
    """A row of a frame of pandas: values with the names of their columns."""

    def to_frame(self) -> Any:
        """The row as a frame with one column."""


OnePatient = Mapping[str, Any] | RowLike
"""One patient: a value for each column."""


def as_rows(frame: Any) -> Any:
    """A frame as it is; one patient as a frame of one row.

    Example:
        >>> as_rows({"age": 61, "ward": "north"})
        {'age': [61], 'ward': ['north']}
        >>> as_rows({"age": [61, 62], "ward": ["north", "south"]})
        {'age': [61, 62], 'ward': ['north', 'south']}
    """
    if isinstance(frame, Mapping):
        single = all(isinstance(value, str) or not hasattr(value, "__len__") for value in frame.values())
        return {name: [value] for name, value in frame.items()} if frame and single else frame
    # a column of polars has no index; whatever else it is, reading it says so
    is_row = isinstance(frame, RowLike) and hasattr(frame, "index") and not hasattr(frame, "columns")
    return frame.to_frame().T if is_row else frame


@dataclass(frozen=True)
class LoadedModel:
    """The trained model of a finished run: ``polyclinic.load(folder)``.

    The answers are those of `polyclinic predict`; the weights are read once.

    Attributes:
        opened: Its networks.
        folder: The bundle that it came from.
        cache: Where decoded records may be kept, or None.
    """

    opened: OpenedModel = field(repr=False)
    folder: Path
    cache: Path | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """What it was trained to answer, by the names in the study file."""
        return tuple(self.opened.study.targets)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that it needs, each once."""
        columns = (names for fit in self.opened.fits for names in fit.plan.columns.values())
        return tuple(dict.fromkeys(name for names in columns for name in names))

    @property
    def classes_(self) -> Shaped[np.ndarray, " klass"]:
        """The classes of the first target that has some, in the order of ``predict_proba``.

        Raises:
            BundleError: if no target of it is a choice among classes.
        """
        return self.classes_of(None)

    def classes_of(self, target: str | None = None) -> Shaped[np.ndarray, " klass"]:
        """The classes of one target.

        Raises:
            BundleError: if there is no such target, or it has no classes.
        """
        return np.array(self._choice(self.opened.tune.answers, target).classes, dtype=np.str_)

    def predict(self, frame: Frame | OnePatient) -> Any:
        """Answers for new patients, a row for each patient and target, with interval, shift and reason to abstain.

        Args:
            frame: Columns as in the study: a frame of polars, pandas or arrow, or a dict of columns; or one patient: a
                dict with a value for each column, or a row of a frame of pandas.

        Returns:
            A frame of pandas with the same index if one of pandas was given, else of polars; columns as in the file
            that `polyclinic predict` writes.

        Raises:
            CohortError, ReadError: if the table cannot be used.
        """
        rows = as_rows(frame)
        return as_given(self._answered(rows).table, rows)

    def predict_proba(self, frame: Frame | OnePatient, target: str | None = None) -> Float[np.ndarray, "patient klass"]:
        """The probability of each class for new patients, in the order of ``classes_``.

        Args:
            frame: Columns as in the study, or one patient, as for ``predict``.
            target: Which question, where the study asks several; by default the first one with classes.

        Raises:
            BundleError: if there is no such target, or it has no classes.
            CohortError, ReadError: if the table cannot be used.
        """
        self._choice(self.opened.tune.answers, target)  # before anything is computed
        return self._choice(self._answered(as_rows(frame)).asked.answers, target).probabilities

    def _answered(self, frame: Frame) -> AnsweredTable:
        answered = answer_table(self.opened, given_table(frame), self.cache)
        for finding in answered.findings:
            if finding.severity is Severity.WARNING:
                warnings.warn(str(finding), FindingWarning, stacklevel=3)
        return answered

    def _choice(self, answers: Mapping[str, Answer], target: str | None) -> _Choice:
        """The answers to the question that is meant."""
        offered = {name: answer for name, answer in answers.items() if isinstance(answer, _Choice)}
        asked = [answer for name, answer in offered.items() if target in (None, name)]
        if asked:
            return asked[0]
        found = "no target has any" if target is None else f'"{target}" has none, or is no target of it'
        listed = ", ".join(offered) or "none"
        rule, remedy = "a probability needs classes", f"Use predict; targets with classes: {listed}."
        raise BundleError(Finding("no_classes", str(self.folder), rule, found, remedy))

    def _repr_html_(self) -> str:
        """A small card for notebooks."""
        study = self.opened.study
        rows = [("target", f"{name} ({section.kind})") for name, section in study.targets.items()]
        rows += [("columns", _few(self.features)), ("networks", str(len(self.opened.fits)))]
        return Card(study.study.title or study.study.name, tuple(rows), report=self.folder / "report.html").html()


def _few(names: Sequence[str], most: int = 8) -> str:  # as many as fit on a line; a round number
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
