"""Predictions as a parquet file: one row per sample and target, in columns that a clinician can read.

=========================  =============================================================================
row, patient, part         who the answer is about: row of the user's table from 1; train, tune or test
repeat, fold               of the cross-validation, from 0
target, model              the question, in the user's word; who answered
truth                      name of the true class, or the measured number
probability_<class>        calibrated chance; raw_probability_<class> is the one before calibration
truth_<label>              0 or 1, for questions with several labels
value                      predicted number
event, time                follow-up: 1 = seen, 0 = censored
risk                       higher = earlier event expected
survival_times, survival   the survival curve: lists of equal length
<form>_<part>              masks, boxes, cells, spans, relations: packed arrays (see ``packing``), lists of numbers
shift                      distance from the training patients
site, strata_<column>      subgroups
=========================  =============================================================================

Names and order of classes, units and forms stand in the file's own metadata, so that a file is read back exactly.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped
from polars.exceptions import PolarsError
from pydantic import BaseModel, ConfigDict, ValidationError

from polyclinic.answers.base import Answer
from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.answers.relations import RelationAnswer
from polyclinic.answers.spans import SpanAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import EvidenceError, Finding
from polyclinic.formats.disk import write_file
from polyclinic.predictions.record import Predictions, Samples

FORMAT = 1
_KEY = "polyclinic"


class _TargetNote(BaseModel):
    """What the columns do not say about one target: its form, the names and order of its classes, its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    form: str
    names: tuple[str, ...] = ()
    unit: str = ""
    constants: dict[str, bool | str | tuple[str, ...]] = {}


class _ModelNote(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    targets: tuple[_TargetNote, ...]
    site: bool
    strata: tuple[str, ...]


class _FileNote(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    models: tuple[_ModelNote, ...]


class Shelf(ABC):
    """How one form of answer lies in the table. A plug-in's new form adds its own to ``SHELVES``."""

    word: ClassVar[str]
    holds: ClassVar[type[Answer]]

    def names(self, answer: Any) -> tuple[str, ...]:
        """Names of classes or labels, in order."""
        return ()

    def unit(self, answer: Any) -> str:
        """Unit of the answer."""
        return ""

    def constants(self, answer: Any) -> dict[str, bool | str | tuple[str, ...]]:
        """What else is the same for all samples."""
        return {}

    @abstractmethod
    def columns(self, answer: Any) -> dict[str, pl.Series]:
        """The answer as columns."""

    @abstractmethod
    def read(self, frame: pl.DataFrame, note: "_TargetNote") -> Answer:
        """The answer out of its rows."""


class _ClassShelf(Shelf):
    word = "classes"
    holds = ClassAnswer

    def names(self, answer: ClassAnswer) -> tuple[str, ...]:
        return answer.classes

    def columns(self, answer: ClassAnswer) -> dict[str, pl.Series]:
        truth = [answer.classes[int(k)] if np.isfinite(k) else None for k in answer.truth]
        columns = {"truth": pl.Series(truth, dtype=pl.String)}
        return columns | _spread("probability", answer.classes, answer.probabilities, answer.raw)

    def read(self, frame: pl.DataFrame, note: _TargetNote) -> ClassAnswer:
        names = note.names
        number = {name: float(k) for k, name in enumerate(names)}
        truth = np.array([number.get(name, np.nan) for name in frame["truth"].to_list()], dtype=np.float64)
        probabilities, raw = _gather(frame, names)
        return ClassAnswer(names, probabilities, raw, truth)


class _LabelsShelf(Shelf):
    word = "labels"
    holds = LabelsAnswer

    def names(self, answer: LabelsAnswer) -> tuple[str, ...]:
        return answer.labels

    def columns(self, answer: LabelsAnswer) -> dict[str, pl.Series]:
        truth = {f"truth_{name}": _numbers(answer.truth[:, k]) for k, name in enumerate(answer.labels)}
        return truth | _spread("probability", answer.labels, answer.probabilities, answer.raw)

    def read(self, frame: pl.DataFrame, note: _TargetNote) -> LabelsAnswer:
        names = note.names
        probabilities, raw = _gather(frame, names)
        truth = np.stack([_floats(frame[f"truth_{name}"]) for name in names], axis=1)
        return LabelsAnswer(names, probabilities, raw, truth)


class _ValueShelf(Shelf):
    word = "value"
    holds = ValueAnswer

    def unit(self, answer: ValueAnswer) -> str:
        return answer.unit

    def columns(self, answer: ValueAnswer) -> dict[str, pl.Series]:
        return {"truth": _numbers(answer.truth), "value": _numbers(answer.value)}

    def read(self, frame: pl.DataFrame, note: _TargetNote) -> ValueAnswer:
        return ValueAnswer(note.unit, _floats(frame["value"]), _floats(frame["truth"]))


class _SurvivalShelf(Shelf):
    word = "survival"
    holds = SurvivalAnswer

    def unit(self, answer: SurvivalAnswer) -> str:
        return answer.unit

    def columns(self, answer: SurvivalAnswer) -> dict[str, pl.Series]:
        lists = pl.List(pl.Float64)
        return {
            "event": _numbers(answer.event),
            "time": _numbers(answer.time),
            "risk": _numbers(answer.risk),
            "survival_times": pl.Series(answer.times.astype(np.float64).tolist(), dtype=lists),
            "survival": pl.Series(answer.survival.astype(np.float64).tolist(), dtype=lists),
        }

    def read(self, frame: pl.DataFrame, note: _TargetNote) -> SurvivalAnswer:
        return SurvivalAnswer(
            unit=note.unit,
            risk=_floats(frame["risk"]),
            times=np.array(frame["survival_times"].to_list(), dtype=np.float64).reshape(len(frame), -1),
            survival=np.array(frame["survival"].to_list(), dtype=np.float64).reshape(len(frame), -1),
            event=_floats(frame["event"]),
            time=_floats(frame["time"]),
        )


class _DenseShelf(Shelf):
    """Every form whose arrays are packed, or have one row of numbers per sample."""

    def __init__(self, word: str, holds: type[Answer]) -> None:
        # mypy: a shelf of one form has these as constants of its class
        self.word, self.holds = word, holds  # type: ignore[misc]

    def constants(self, answer: Answer) -> dict[str, bool | str | tuple[str, ...]]:
        values = {field.name: getattr(answer, field.name) for field in fields(answer)}
        return {name: value for name, value in values.items() if not isinstance(value, np.ndarray)}

    def columns(self, answer: Answer) -> dict[str, pl.Series]:
        values = {field.name: getattr(answer, field.name) for field in fields(answer)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        return {f"{self.word}_{name}": _packed_or_lists(value) for name, value in arrays.items()}

    def read(self, frame: pl.DataFrame, note: _TargetNote) -> Answer:
        names = [f.name for f in fields(self.holds) if f.name not in note.constants]
        arrays = {name: _unlisted(frame[f"{self.word}_{name}"]) for name in names}
        return self.holds(**note.constants, **arrays)


SHELVES: list[Shelf] = [
    _ClassShelf(),
    _LabelsShelf(),
    _ValueShelf(),
    _SurvivalShelf(),
    _DenseShelf("mask", MaskAnswer),
    _DenseShelf("boxes", BoxAnswer),
    _DenseShelf("cells", CellsAnswer),
    _DenseShelf("spans", SpanAnswer),
    _DenseShelf("relations", RelationAnswer),
]


def save(predictions: Sequence[Predictions], path: Path) -> None:
    """Write the predictions of one or several models as parquet; the file appears whole or not at all."""
    frames = [frame for answers in predictions for frame in _frames(answers)]
    if len({frame["truth"].dtype for frame in frames if "truth" in frame.columns}) > 1:
        frames = [_as_words(frame) for frame in frames]
    table = pl.concat(frames, how="diagonal")
    note = _FileNote(format=FORMAT, models=tuple(_note(answers) for answers in predictions))
    content = BytesIO()
    table.write_parquet(content, compression="zstd", metadata={_KEY: note.model_dump_json()})
    write_file(path, content.getvalue())


def load(path: Path) -> list[Predictions]:
    """Read what ``save`` wrote, one entry for each model in the order in which they were saved.

    Raises:
        EvidenceError: if the file is missing, damaged, of another format, or written by another program.
    """
    try:
        words = pl.read_parquet_metadata(path).get(_KEY)
        table = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        raise EvidenceError(_unreadable(path, "it is missing or damaged")) from error
    if words is None:
        raise EvidenceError(_unreadable(path, "another program wrote it"))
    try:
        note = _FileNote.model_validate(json.loads(words))
        return [_model_of(table, model) for model in note.models]
    except (ValidationError, PolarsError, KeyError, ValueError) as error:
        raise EvidenceError(_unreadable(path, "it has another format or lacks columns")) from error


def shelf_of(answer: Answer) -> Shelf:
    """Where answers of this form lie."""
    return next(shelf for shelf in SHELVES if isinstance(answer, shelf.holds))


def _note(predictions: Predictions) -> _ModelNote:
    shelves = {name: shelf_of(answer) for name, answer in predictions.answers.items()}
    return _ModelNote(
        name=predictions.model,
        targets=tuple(
            _TargetNote(
                name=name,
                form=shelf.word,
                names=shelf.names(answer),
                unit=shelf.unit(answer),
                constants=shelf.constants(answer),
            )
            for (name, shelf), answer in zip(shelves.items(), predictions.answers.values(), strict=True)
        ),
        site=predictions.samples.site is not None,
        strata=tuple(predictions.samples.strata),
    )


def _frames(predictions: Predictions) -> Iterator[pl.DataFrame]:
    """One table for each target."""
    samples = predictions.samples
    who = {
        "row": pl.Series(samples.row),
        "patient": _words_or_numbers(samples.patient),
        "part": pl.Series(samples.part.tolist(), dtype=pl.String),
        "repeat": pl.Series(samples.repeat),
        "fold": pl.Series(samples.fold),
    }
    about = {"shift": _numbers(predictions.shift)}
    if samples.site is not None:
        about["site"] = _words_or_numbers(samples.site)
    about |= {f"strata_{name}": _words_or_numbers(values) for name, values in samples.strata.items()}
    for name, answer in predictions.answers.items():
        frame = pl.DataFrame(who | shelf_of(answer).columns(answer) | about)
        asked = [pl.lit(name).alias("target"), pl.lit(predictions.model).alias("model")]
        yield frame.select(*list(who), *asked, pl.all().exclude(list(who)))


def _model_of(table: pl.DataFrame, note: _ModelNote) -> Predictions:
    rows = table.filter(pl.col("model") == note.name)
    answers: dict[str, Answer] = {}
    for target in note.targets:
        shelf = next(shelf for shelf in SHELVES if shelf.word == target.form)
        answers[target.name] = shelf.read(rows.filter(pl.col("target") == target.name), target)
    first = rows.filter(pl.col("target") == note.targets[0].name)
    samples = Samples(
        row=first["row"].to_numpy(),
        patient=_array(first["patient"]),
        part=_array(first["part"]),
        repeat=first["repeat"].to_numpy(),
        fold=first["fold"].to_numpy(),
        site=_array(first["site"]) if note.site else None,
        strata={name: _array(first[f"strata_{name}"]) for name in note.strata},
    )
    return Predictions(note.name, samples, answers, _floats(first["shift"]))


def _spread(
    word: str, names: Sequence[str], chances: Float[np.ndarray, "sample klass"], raw: Float[np.ndarray, "sample klass"]
) -> dict[str, pl.Series]:
    calibrated = {f"{word}_{name}": _numbers(chances[:, k]) for k, name in enumerate(names)}
    return calibrated | {f"raw_{word}_{name}": _numbers(raw[:, k]) for k, name in enumerate(names)}


def _gather(frame: pl.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    chances = [_floats(frame[f"probability_{name}"]) for name in names]
    raw = [_floats(frame[f"raw_probability_{name}"]) for name in names]
    return np.stack(chances, axis=1), np.stack(raw, axis=1)


def _packed_or_lists(values: Shaped[np.ndarray, "sample ..."]) -> pl.Series:
    """Packed arrays as bytes, one row of numbers per sample as a list."""
    if values.dtype == object:
        return pl.Series(values.tolist(), dtype=pl.Binary)
    return pl.Series(values.astype(np.float64).tolist(), dtype=pl.List(pl.Float64))


def _unlisted(column: pl.Series) -> Shaped[np.ndarray, "sample ..."]:
    if column.dtype == pl.Binary:
        return _objects(column.to_list())
    return np.array(column.to_list(), dtype=np.float64).reshape(len(column), -1)


def _objects(values: list[bytes]) -> Shaped[np.ndarray, " sample"]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _numbers(values: Float[np.ndarray, " sample"]) -> pl.Series:
    """Numbers as a column; what is not known is empty there."""
    return pl.Series(values.astype(np.float64)).fill_nan(None)


def _floats(column: pl.Series) -> Float[np.ndarray, " sample"]:
    """A column as numbers, NaN where it is empty."""
    if column.dtype == pl.String:
        return np.array([np.nan if word is None else float(word) for word in column.to_list()])
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _as_words(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with the truth in words, for a file in which one target has classes and another numbers."""
    if "truth" not in frame.columns or frame["truth"].dtype == pl.String:
        return frame
    words = [None if value is None else repr(value) for value in frame["truth"].to_list()]
    return frame.with_columns(pl.Series("truth", words, dtype=pl.String))


def _words_or_numbers(values: Shaped[np.ndarray, " sample"]) -> pl.Series:
    return pl.Series(values.tolist()) if values.dtype == object else pl.Series(values)


def _array(column: pl.Series) -> Shaped[np.ndarray, " sample"]:
    """A column as an array; an empty cell is None among words and NaN among numbers."""
    words = column.dtype in (pl.String, pl.Null)
    return np.array(column.to_list(), dtype=object) if words else column.to_numpy()


def _unreadable(path: Path, found: str) -> Finding:
    return Finding(
        name="unreadable_predictions",
        place=path.name,
        rule="must be predictions that polyclinic saved",
        found=found,
        remedy="For another program's predictions use: polyclinic judge --predictions FILE.",
    )
