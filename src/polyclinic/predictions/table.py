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
<form>_<part>              masks, boxes, cells, spans, relations: arrays (see ``formats.packed``), lists of numbers
<form>_<part>_json         the same arrays as JSON, for other programs; never a text itself (see below)
shift                      distance from the training patients
site, strata_<column>      subgroups
=========================  =============================================================================

The JSON of a row is a list, empty where nothing is there; no JSON where nothing is known:

- spans: ``{"start", "end", "label"}``, offsets in code points of the text as given, ``end`` excluded; answers also have
  "confidence", truths "seen" (whether training rows hold this mention); where it is asked for "assertion"
- relations: ``{"head": [start, end], "tail": [start, end], "type"}``, where there is one; answers also "confidence"
- boxes: ``{"label", "x0", "y0", "x1", "y1"}`` in pixels (x along columns, y along rows), in scans "i0" to "k1"; answers
  also "score" and "counted" (whether the score reaches the threshold of the class)
- mask: ``{"label", "size", "counts"}`` for each region; cells: ``{"cell", "size", "counts"}``, answers also "score";
  run lengths as COCO writes them (see ``formats.readable``). A record of more than 20,000 runs has no JSON

Names and order of classes, units and forms stand in the file's own metadata, so that a file is read back exactly.
"""

import json
import math
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Shaped
from polars.exceptions import PolarsError
from pydantic import BaseModel, ConfigDict, ValidationError

from polyclinic.answers.base import Answer, Constant, Constants, floats, numbers
from polyclinic.errors import EvidenceError, Finding, PolyclinicError, stop_on
from polyclinic.formats.disk import write_file
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study import catalogue

FORMAT = 1
_KEY = "polyclinic"


class _TargetNote(BaseModel):
    """What the columns do not say about one target: its form, the names and order of its classes, its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    form: str
    names: tuple[str, ...] = ()
    unit: str = ""
    constants: dict[str, Constant] = {}


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
        EvidenceError: if the file is missing, damaged, of another format, or written by another program, or if a form
            of answer in it is not installed.
        StudyError: if the package that brings the form is broken.
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
        stop_on(_absent_forms(note, path), EvidenceError)
        return [_model_of(table, model) for model in note.models]
    except PolyclinicError:
        raise
    except (ValidationError, PolarsError, KeyError, ValueError) as error:
        raise EvidenceError(_unreadable(path, "it has another format or lacks columns")) from error


def _note(predictions: Predictions) -> _ModelNote:
    return _ModelNote(
        name=predictions.model,
        targets=tuple(_target_note(name, answer) for name, answer in predictions.answers.items()),
        site=predictions.samples.site is not None,
        strata=tuple(predictions.samples.strata),
    )


def _target_note(name: str, answer: Answer) -> _TargetNote:
    constants = answer.constants()
    odd = [key for key, value in constants.others.items() if not _is_constant(value)]
    rule = "what is no array must be true or false, a finite number, a word, or a tuple of these"
    remedy = "Correct the class, or let its methods constants and read turn it into one of these."
    place = type(answer).__name__
    stop_on(
        [
            Finding("odd_constant", f"{place}.{key}", rule, f"it is a {type(constants.others[key]).__name__}", remedy)
            for key in odd
        ],
        EvidenceError,
    )
    return _TargetNote(
        name=name, form=answer.form, names=constants.names, unit=constants.unit, constants=dict(constants.others)
    )


def _is_constant(value: object) -> bool:
    """Whether the file can hold it and give it back as it was: JSON knows no NaN."""
    return all(
        isinstance(one, bool | int | str) or (isinstance(one, float) and math.isfinite(one))
        for one in (value if isinstance(value, tuple) else (value,))
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
    about = {"shift": numbers(predictions.shift)}
    if samples.site is not None:
        about["site"] = _words_or_numbers(samples.site)
    about |= {f"strata_{name}": _words_or_numbers(values) for name, values in samples.strata.items()}
    for name, answer in predictions.answers.items():
        frame = pl.DataFrame(who | answer.columns() | answer.readable() | about)
        asked = [pl.lit(name).alias("target"), pl.lit(predictions.model).alias("model")]
        yield frame.select(*list(who), *asked, pl.all().exclude(list(who)))


def _model_of(table: pl.DataFrame, note: _ModelNote) -> Predictions:
    rows = table.filter(pl.col("model") == note.name)
    answers: dict[str, Answer] = {}
    for target in note.targets:
        form: type[Answer] = catalogue.find("answers", target.form)
        constants = Constants(target.names, target.unit, target.constants)
        answers[target.name] = form.read(rows.filter(pl.col("target") == target.name), constants)
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
    return Predictions(note.name, samples, answers, floats(first["shift"]))


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


def _absent_forms(note: _FileNote, path: Path) -> list[Finding]:
    """Forms of answer that a package brought which is not here now."""
    forms = {target.form: target.name for model in note.models for target in model.targets}
    return [
        Finding(
            name="absent_form",
            place=f'{path.name}, target "{target}"',
            rule="the form of every answer must be installed",
            found=f'the form "{form}" is not',
            remedy="Install the package that brings it, or a newer Polyclinic.",
        )
        for form, target in forms.items()
        if form not in catalogue.names("answers")
    ]


def _unreadable(path: Path, found: str) -> Finding:
    return Finding(
        name="unreadable_predictions",
        place=path.name,
        rule="must be predictions that polyclinic saved",
        found=found,
        remedy="For another program's predictions use: polyclinic judge --predictions FILE.",
    )
