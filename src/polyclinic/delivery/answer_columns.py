"""Each form of answer as columns for the table of new patients."""

import json
from functools import singledispatch
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped

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
from polyclinic.evidence.conformal import class_sets, half_width
from polyclinic.evidence.metrics.overlap import decided
from polyclinic.evidence.metrics.relations import FIRST_CHANCE, PREDICTED
from polyclinic.formats.packed import unpack

_ML = 1000.0

Columns = tuple[dict[str, Any], np.ndarray]


@singledispatch
def answer_columns(
    answer: Answer, tune: Answer, confidence: float
) -> tuple[dict[str, Any], Bool[np.ndarray, " sample"]]:
    """Columns for one form of answer, and where the model is torn; a plug-in registers its own form.

    Args:
        answer: For the new patients.
        tune: Of the same model for tune rows, with the truth: the intervals are calibrated on them.
        confidence: Share of patients whose truth an interval or a set shall hold.
    """
    raise TypeError(f"no columns are known for a {type(answer).__name__}")


@answer_columns.register
def _(answer: ClassAnswer, tune: ClassAnswer, confidence: float) -> Columns:
    sets = class_sets(tune.probabilities, tune.truth, answer.probabilities, confidence)
    columns: dict[str, Any] = {
        f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.classes)
    }
    columns["plausible"] = [" | ".join(np.asarray(answer.classes)[chosen]) for chosen in sets]
    return columns, sets.sum(axis=1) != 1


@answer_columns.register
def _(answer: LabelsAnswer, tune: LabelsAnswer, confidence: float) -> Columns:
    columns = {f"probability_{name}": answer.probabilities[:, i] for i, name in enumerate(answer.labels)}
    return columns, np.zeros(len(answer), dtype=bool)


@answer_columns.register
def _(answer: ValueAnswer, tune: ValueAnswer, confidence: float) -> Columns:
    half = half_width(tune.value, tune.truth, confidence)
    columns = {"value": answer.value, "low": answer.value - half, "high": answer.value + half}
    return columns, np.zeros(len(answer), dtype=bool)


@answer_columns.register
def _(answer: SurvivalAnswer, tune: SurvivalAnswer, confidence: float) -> Columns:
    tail = (1 - confidence) / 2
    columns: dict[str, Any] = {"risk": answer.risk}
    for word, level in (("low", 1 - tail), ("median", 0.5), ("high", tail)):
        columns[word] = _time_until(answer, level)
    columns["survival_times"] = [list(map(float, row)) for row in answer.times]
    columns["survival"] = [list(map(float, row)) for row in answer.survival]
    return columns, np.zeros(len(answer), dtype=bool)


def _time_until(answer: SurvivalAnswer, level: float) -> Float[np.ndarray, " sample"]:
    """When the curve first falls to ``level``; NaN where it does not within its grid."""
    below = answer.survival <= level
    first = below.argmax(axis=1)
    return np.where(below.any(axis=1), answer.times[np.arange(len(first)), first], np.nan)


@answer_columns.register
def _(answer: MaskAnswer, tune: MaskAnswer, confidence: float) -> Columns:
    points, true_points = _points(answer, answer.probability), _points(tune, tune.truth)
    word, unit, scale = _size(answer)
    step, tune_step = np.prod(answer.spacing, axis=1) / scale, np.prod(tune.spacing, axis=1) / scale
    tune_points = _points(tune, tune.probability)
    columns: dict[str, Any] = {}
    for k, name in enumerate(answer.regions):
        columns[f"points_{name}"] = _counts(points[:, k])
        if np.isfinite(step).any():
            half = half_width(tune_points[:, k] * tune_step, true_points[:, k] * tune_step, confidence)
            columns |= _with_interval(f"{word}_{name}_{unit}", points[:, k] * step, half)
    return columns, _never(answer)


def _points(answer: MaskAnswer, packed: Shaped[np.ndarray, " sample"]) -> Float[np.ndarray, "sample region"]:
    """Points of each region in each record, NaN where nothing is said of it."""
    found = np.full((len(answer), len(answer.regions)), np.nan)
    for position, content in enumerate(packed):
        grid = unpack(content) if content else np.zeros(0)
        if grid.size and packed is answer.truth:
            found[position] = [np.count_nonzero(region) for region in grid]
        elif grid.size:
            found[position] = [np.count_nonzero(region) for region in decided(answer, position)]
    return found


def _size(answer: MaskAnswer) -> tuple[str, str, float]:
    """What the size of a region is called, its unit, and how many cubed or squared steps make one."""
    dim = answer.spacing.shape[1]
    if dim == 3:
        return ("volume", "ml", _ML) if answer.unit == "mm" else ("volume", f"{answer.unit}3", 1.0)
    return "area", f"{answer.unit}{dim}", 1.0


@answer_columns.register
def _(answer: BoxAnswer, tune: BoxAnswer, confidence: float) -> Columns:
    counts, best = _boxes(answer)
    tune_counts, _ = _boxes(tune)
    columns: dict[str, Any] = {}
    for k, name in enumerate(answer.classes):
        true = [np.nan if not t else np.count_nonzero(unpack(t)[:, 0] == k) for t in tune.truth]
        half = half_width(tune_counts[:, k], np.array(true, dtype=np.float64), confidence)
        columns |= _counted(f"count_{name}", counts[:, k], half)
        columns[f"highest_{name}"] = _known(best[:, k])
    return columns, _never(answer)


def _boxes(answer: BoxAnswer) -> tuple[Float[np.ndarray, "sample klass"], Float[np.ndarray, "sample klass"]]:
    """How many boxes of each class reach its threshold, and the highest score; NaN where nothing is said."""
    shape = (len(answer), len(answer.classes))
    counts, best = np.full(shape, np.nan), np.full(shape, np.nan)
    for position, content in enumerate(answer.predicted):
        if not content:
            continue
        boxes = unpack(content)
        for k in range(len(answer.classes)):
            scores = boxes[boxes[:, 1] == k, 0]
            counts[position, k] = np.count_nonzero(scores >= answer.thresholds[position, k])
            best[position, k] = scores.max(initial=0.0)
    return counts, best


@answer_columns.register
def _(answer: CellsAnswer, tune: CellsAnswer, confidence: float) -> Columns:
    half = half_width(_cells(tune.predicted)[0], _cells(tune.truth)[0], confidence)
    cells, points = _cells(answer.predicted)
    step = np.prod(np.where(np.isfinite(answer.spacing), answer.spacing, 1.0), axis=1)
    known = answer.unit != "px" and bool(np.isfinite(answer.spacing).all())
    mean = points * (step if known else 1.0)
    return {**_counted("cells", cells, half), f"mean_area_{answer.unit if known else 'px'}2": _known(mean)}, _never(
        answer
    )


def _cells(packed: Shaped[np.ndarray, " sample"]) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """How many cells a picture has and how many points each of them on average; NaN where not known."""
    number, points = np.full(len(packed), np.nan), np.full(len(packed), np.nan)
    for position, content in enumerate(packed):
        grid = unpack(content) if content else np.zeros(0)
        if grid.size:
            inside = grid[grid != 0]
            number[position] = len(np.unique(inside))
            points[position] = len(inside) / number[position] if len(inside) else np.nan
    return number, points


@answer_columns.register
def _(answer: SpanAnswer, tune: SpanAnswer, confidence: float) -> Columns:
    found = [unpack(content) if content else None for content in answer.predicted]
    columns: dict[str, Any] = {
        f"count_{name}": _counts([np.nan if s is None else np.count_nonzero(s[:, 2] == k) for s in found])
        for k, name in enumerate(answer.labels)
    }
    columns["spans"] = [None if spans is None else json.dumps([_span(s, answer) for s in spans]) for spans in found]
    return columns, _never(answer)


def _span(span: Float[np.ndarray, " 5"], answer: SpanAnswer) -> dict[str, Any]:
    start, end, label, confidence, assertion = span.tolist()
    told: dict[str, Any] = {"start": int(start), "end": int(end), "label": answer.labels[int(label)]}
    told["confidence"] = round(confidence, 4)
    return told | ({"assertion": answer.assertions[int(assertion)]} if assertion >= 0 else {})


@answer_columns.register
def _(answer: RelationAnswer, tune: RelationAnswer, confidence: float) -> Columns:
    found = [unpack(content) if content else None for content in answer.pairs]
    columns: dict[str, Any] = {
        f"count_{name}": _counts([np.nan if p is None else np.count_nonzero(p[:, PREDICTED] == k) for p in found])
        for k, name in enumerate(answer.types)
        if k
    }
    columns["relations"] = [
        None if pairs is None else json.dumps([_relation(p, answer) for p in pairs if p[PREDICTED] > 0])
        for pairs in found
    ]
    return columns, _never(answer)


def _relation(pair: Float[np.ndarray, " column"], answer: RelationAnswer) -> dict[str, Any]:
    kind = int(pair[PREDICTED])
    head, tail = ([int(end) for end in pair[first : first + 2]] for first in (0, 2))
    confidence = round(float(pair[FIRST_CHANCE + kind]), 4)
    return {"head": head, "tail": tail, "type": answer.types[kind], "confidence": confidence}


def _never(answer: Answer) -> Bool[np.ndarray, " sample"]:
    """Such a model is never torn between answers."""
    return np.zeros(len(answer), dtype=bool)


def _known(values: Float[np.ndarray, " sample"]) -> pl.Series:
    """Numbers as a column, empty where not known or without a bound."""
    return pl.Series(np.where(np.isfinite(values), values, np.nan), dtype=pl.Float64).fill_nan(None)


def _counts(values: Any) -> pl.Series:
    return _known(np.asarray(values, dtype=np.float64)).cast(pl.Int64)


def _with_interval(name: str, values: Float[np.ndarray, " sample"], half: float) -> dict[str, pl.Series]:
    low = np.maximum(values - half, 0.0) if np.isfinite(half) else np.full(len(values), np.nan)
    return {name: _known(values), f"{name}_low": _known(low), f"{name}_high": _known(values + half)}


def _counted(name: str, values: Float[np.ndarray, " sample"], half: float) -> dict[str, pl.Series]:
    return {key: column.cast(pl.Int64) for key, column in _with_interval(name, values, half).items()}
