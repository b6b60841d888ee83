"""Figures over folds and resamples: each fold is judged by itself, then averaged by its number of samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int, UInt8

from polyclinic.evidence.intervals import Sampled
from polyclinic.evidence.metric import Metric
from polyclinic.evidence.weights import Figures, Weights, ratio
from polyclinic.predictions.record import Samples

BLOCK = 2**18
"""Weights held at once, to bound memory. Processor time was flat from 2**17 to 2**20 and rose below 2**16."""

Function = Callable[[Any, Weights | None], Figures]


@dataclass(frozen=True)
class Case:
    """Base of the arrays that a form of answer is judged by. Every array has one entry per sample."""

    def take(self, index: Int[np.ndarray, " row"]) -> Self:
        """The same case for some of the samples."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        changes: dict[str, Any] = {k: v[index] for k, v in arrays.items() if isinstance(v, np.ndarray)}
        return replace(self, **changes)


@dataclass(frozen=True)
class Layout:
    """Where each sample belongs.

    Attributes:
        row: Row of the user's table, from 1.
        patient: Number of the patient, as in the columns of the draws.
        fold: Number of the fold, different for every repetition.
        repeat: Number of the repetition.
    """

    row: Int[np.ndarray, " sample"]
    patient: Int[np.ndarray, " sample"]
    fold: Int[np.ndarray, " sample"]
    repeat: Int[np.ndarray, " sample"]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: Int[np.ndarray, " row"]) -> "Layout":
        """The same layout for some of the samples."""
        return Layout(self.row[index], self.patient[index], self.fold[index], self.repeat[index])

    @property
    def rows(self) -> int:
        """Number of different rows of the table."""
        return len(np.unique(self.row))

    @property
    def patients(self) -> int:
        """Number of different patients."""
        return len(np.unique(self.patient))


def lay_out(samples: Samples) -> Layout:
    """Number patients, folds and repetitions. The order is that of their sorted names."""
    patients = np.unique(samples.patient.astype(str), return_inverse=True)[1]
    places = np.stack([samples.repeat, samples.fold], axis=1)
    folds = np.unique(places, axis=0, return_inverse=True)[1]
    return Layout(samples.row, patients.reshape(-1), folds.reshape(-1), samples.repeat)


def assess(
    metrics: Sequence[Metric], case: Case, layout: Layout, counts: UInt8[np.ndarray, "resample patient"]
) -> dict[str, Sampled]:
    """Every metric, by name, with its resamples.

    Within a resample a fold counts by the samples drawn into it. A fold that cannot be judged is left out of the
    mean; a figure is NaN where no fold can be judged.
    """
    found: dict[str, Sampled] = {}
    for pooled in (False, True):
        chosen = [metric for metric in metrics if metric.pooled == pooled]
        place = layout.repeat if pooled else layout.fold
        means = _average([m.function for m in chosen], case, layout.patient, place, counts)
        for metric, (value, resampled) in zip(chosen, means, strict=True):
            settled = _recentred(value, resampled) if metric.raised else resampled
            found[metric.name] = Sampled(value, settled, layout.rows)
    return {metric.name: found[metric.name] for metric in metrics}


def _recentred(
    value: Float[np.ndarray, "..."], resampled: Float[np.ndarray, "resample ..."]
) -> Float[np.ndarray, "resample ..."]:
    """Resamples of a figure that cannot be below 0, moved so that their median is the figure."""
    judged = resampled[np.isfinite(resampled)]
    return np.maximum(resampled - np.median(judged) + value, 0.0) if len(judged) else resampled


def _average(
    functions: Sequence[Function],
    case: Case,
    patient: Int[np.ndarray, " sample"],
    place: Int[np.ndarray, " sample"],
    counts: UInt8[np.ndarray, "resample patient"],
) -> list[tuple[Float[np.ndarray, "..."], Float[np.ndarray, "resample ..."]]]:
    """Mean over the folds of each function: of the samples as they are, and of every resample."""
    sizes, values, drawn, resampled = [], [], [], []
    for number in np.unique(place):
        members = np.flatnonzero(place == number)
        part = case.take(members)
        sizes.append(np.array([float(len(members))]))
        values.append([np.asarray(function(part, None))[None] for function in functions])
        total, figures = _resample(functions, part, patient[members], counts)
        drawn.append(total)
        resampled.append(figures)
    return [
        (np.asarray(_mean(sizes, [v[k] for v in values])[0]), _mean(drawn, [r[k] for r in resampled]))
        for k in range(len(functions))
    ]


def _resample(
    functions: Sequence[Function],
    part: Case,
    patient: Int[np.ndarray, " sample"],
    counts: UInt8[np.ndarray, "resample patient"],
) -> tuple[Float[np.ndarray, " resample"], list[Float[np.ndarray, "resample ..."]]]:
    """Samples drawn, and each function, for every resample; in blocks, so that memory stays bounded."""
    if len(counts) == 0:
        empty = [np.zeros((0, *np.shape(function(part, None)))) for function in functions]
        return np.zeros(0), empty
    size = max(1, BLOCK // len(patient))
    totals, figures = [], []
    for first in range(0, len(counts), size):
        weights = counts[first : first + size][:, patient].astype(np.float64)
        totals.append(weights.sum(axis=1))
        figures.append([np.asarray(function(part, weights)) for function in functions])
    return np.concatenate(totals), [np.concatenate([f[k] for f in figures]) for k in range(len(functions))]


def _mean(
    sizes: Sequence[Float[np.ndarray, " resample"]], values: Sequence[Float[np.ndarray, "resample ..."]]
) -> Float[np.ndarray, "resample ..."]:
    """Mean over folds, weighted by their samples; folds without a figure are left out."""
    summed, total = np.zeros_like(values[0]), np.zeros_like(values[0])
    for size, value in zip(sizes, values, strict=True):
        weight = np.isfinite(value) * size.reshape(-1, *[1] * (value.ndim - 1))
        summed += weight * np.nan_to_num(value)
        total += weight
    return ratio(summed, total)
