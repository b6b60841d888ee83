"""What every form of answer is: arrays with one entry per sample, how they are stored, what several fits say as one.

numpy and polars only.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import polars as pl
from jaxtyping import Float, Int, Shaped

from polyclinic.errors import EvidenceError, Finding, stop_on
from polyclinic.formats.packed import object_array

Scalar = bool | int | float | str
Constant = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Constants:
    """What is the same for all samples, as it stands in the metadata of the file.

    Attributes:
        names: Names of classes or labels, in order.
        unit: Unit of the answer.
        others: Anything else, by the names of the answer's attributes.
    """

    names: tuple[str, ...] = ()
    unit: str = ""
    others: Mapping[str, Constant] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer(ABC):
    """Base of the forms of answer. Every array has one entry per sample, in the same order; NaN = not known.

    Arrays that are packed, or have one number or one row of numbers per sample, are stored as they are under the
    form's word; an answer with columns of its own says how. What is no array is the same for all samples, a
    ``Constant``: true or false, a whole or finite number, a word, or a tuple of these.

    Attributes:
        form: The form's word: the name of its file here, and of those that judge and deliver it.
    """

    form: ClassVar[str]

    @staticmethod
    @abstractmethod
    def average(answers: Sequence[Any]) -> "Answer":
        """One answer from those of several fits for the same samples (an ensemble)."""

    @classmethod
    @abstractmethod
    def example(cls, rng: np.random.Generator, samples: int, flawed: bool = False) -> Self:
        """Answers to made-up patients, the truth known, by which the form is tested; ``flawed`` ones are impossible."""

    def constants(self) -> Constants:
        """What is the same for all samples."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Constants(others={name: value for name, value in values.items() if not isinstance(value, np.ndarray)})

    def columns(self) -> dict[str, pl.Series]:
        """The arrays as columns of a table."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            f"{self.form}_{name}": _packed_or_lists(value)
            for name, value in arrays.items()
            if isinstance(value, np.ndarray)
        }

    def readable(self) -> dict[str, pl.Series]:
        """Packed arrays once more, as columns of JSON for other programs; most forms pack nothing."""
        return {}

    @classmethod
    def read(cls, frame: pl.DataFrame, constants: Constants) -> Self:
        """The answer out of its columns."""
        names = [f.name for f in fields(cls) if f.name not in constants.others]
        arrays = {name: _unlisted(frame[f"{cls.form}_{name}"]) for name in names}
        return cls(**cast(dict[str, Any], {**constants.others, **arrays}))

    def __len__(self) -> int:
        return len(cast(np.ndarray, getattr(self, fields(self)[-1].name)))

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The same answer for some of the samples."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        changes: dict[str, Any] = {k: v[index] for k, v in arrays.items() if isinstance(v, np.ndarray)}
        return replace(self, **changes)


def join_answers(answers: Sequence[Answer]) -> Answer:
    """Answers of one form for other samples, one after another.

    Survival curves may have grids of different lengths; a shorter one goes on with its last point.

    Raises:
        EvidenceError: if what is the same for all samples differs between them.
    """
    stop_on(_different_constants(answers), EvidenceError)
    arrays = {f.name: [getattr(a, f.name) for a in answers] for f in fields(answers[0])}
    changes = {name: _stack(parts) for name, parts in arrays.items() if isinstance(parts[0], np.ndarray)}
    return replace(answers[0], **cast(dict[str, Any], changes))


def _different_constants(answers: Sequence[Answer]) -> list[Finding]:
    """A unit or class names that differ: joined, the samples of one answer would be read as those of another."""
    first = answers[0]
    place, rule = f"{type(first).__name__}", "answers that are joined must have the same constants"
    remedy = "Let every fold learn the same, or make it an array with one entry per sample."
    return [
        Finding("different_constants", f"{place}.{one.name}", rule, "they differ", remedy)
        for one in fields(first)
        if not isinstance(value := getattr(first, one.name), np.ndarray)
        and any(getattr(answer, one.name) != value for answer in answers[1:])
    ]


def average_answers(answers: Sequence[Answer]) -> Answer:
    """Answers of one form for the same samples, of several fits, as one."""
    return type(answers[0]).average(answers)


def numbers(values: Float[np.ndarray, " sample"]) -> pl.Series:
    """Numbers as a column; what is not known is empty there."""
    return pl.Series(values.astype(np.float64)).fill_nan(None)


def floats(column: pl.Series) -> Float[np.ndarray, " sample"]:
    """A column as numbers, NaN where it is empty."""
    if column.dtype == pl.String:
        return np.array([np.nan if word is None else float(word) for word in column.to_list()])
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def chance_columns(
    names: Sequence[str], chances: Float[np.ndarray, "sample klass"], raw: Float[np.ndarray, "sample klass"]
) -> dict[str, pl.Series]:
    """Chances as columns by name, before calibration and after."""
    calibrated = {f"probability_{name}": numbers(chances[:, k]) for k, name in enumerate(names)}
    return calibrated | {f"raw_probability_{name}": numbers(raw[:, k]) for k, name in enumerate(names)}


def read_chances(
    frame: pl.DataFrame, names: Sequence[str]
) -> tuple[Float[np.ndarray, "sample klass"], Float[np.ndarray, "sample klass"]]:
    """The chances out of their columns, after calibration and before."""
    chances = [floats(frame[f"probability_{name}"]) for name in names]
    raw = [floats(frame[f"raw_probability_{name}"]) for name in names]
    return np.stack(chances, axis=1), np.stack(raw, axis=1)


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1])), mode="edge") for part in parts])


def _packed_or_lists(values: Shaped[np.ndarray, "sample ..."]) -> pl.Series:
    """Packed arrays as bytes, one row of numbers per sample as a list, one number as it is."""
    if values.ndim == 1 and values.dtype != object:
        return numbers(values)
    if values.dtype == object:
        return pl.Series(values.tolist(), dtype=pl.Binary)
    return pl.Series(values.astype(np.float64).tolist(), dtype=pl.List(pl.Float64))


def _unlisted(column: pl.Series) -> Shaped[np.ndarray, "sample ..."]:
    if column.dtype == pl.Float64:
        return floats(column)
    if column.dtype != pl.Binary:
        return np.array(column.to_list(), dtype=np.float64).reshape(len(column), -1)
    return object_array(column.to_list())
