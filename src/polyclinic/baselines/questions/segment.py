"""Plain pixel classifiers: each point by itself, from brightness, edges and ridges around it; no network.

What is seen of a point: the values of all channels, smoothed at three scales, the strength of the edge, the Laplacian
and the eigenvalues of the Hessian matrix at each scale (lines and blobs), and where in the record the point lies.

Source: features after Sommer C et al. ilastik. IEEE ISBI 2011:230-233, and Frangi AF et al. MICCAI 1998:130-137.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polyclinic.baselines.questions.base import Answers, DenseSort, PlainDense, PlainQuestion
from polyclinic.decoding.window_stitching import quantised
from polyclinic.formats.packed import pack
from polyclinic.geometry import to_file
from polyclinic.heads.segment import RegionProbabilities
from polyclinic.records.masks.resampled import ResampledMasks

_SCALES = (1.0, 2.0, 4.0)  # blurs in points, each twice the one before
_HALO = 16
"""Points beyond a slab that its features may depend on: four times the coarsest scale."""
_SLAB = 1 << 21  # points at a time: bounds the memory
_SAMPLED = 40_000  # points of all pictures together; a round number
_FEWEST = 200  # points of one picture; a round number
_TREES = 80  # of the forest; a round number

Grid = Float[np.ndarray, " channel *grid"]


@dataclass(frozen=True)
class _Pixels:
    """Some points: what is seen of them, what they belong to, how many points each stands for."""

    features: Float[np.ndarray, "point feature"]
    labels: Int[np.ndarray, "point layer"]
    weight: Float[np.ndarray, " point"]


def describe(values: Grid, first: int, last: int) -> Float[np.ndarray, "point feature"]:
    """What is seen of every point of some planes of the first axis, in the order of the array.

    Args:
        values: The whole record.
        first: First plane.
        last: The plane after the last.
    """
    low, high = max(0, first - _HALO), min(values.shape[1], last + _HALO)
    inner = slice(first - low, last - low)
    columns = [plane[inner].ravel() for channel in values[:, low:high] for plane in _planes(channel)]
    shape = (last - first, *values.shape[2:])
    for axis, side in enumerate(values.shape[1:]):
        along = np.arange(first, last) if axis == 0 else np.arange(side)
        place = (along / max(side - 1, 1)).astype(np.float32)
        columns.append(
            np.broadcast_to(place.reshape([-1 if n == axis else 1 for n in range(len(shape))]), shape).ravel()
        )
    return np.stack(columns, axis=1)


def _planes(channel: Float[np.ndarray, "*grid"]) -> Iterator[Float[np.ndarray, "*grid"]]:
    """The value, and at each scale the smoothed value, the edge, the Laplacian and the eigenvalues of the Hessian."""
    yield channel
    for scale in _SCALES:
        smooth = ndimage.gaussian_filter(channel, scale)
        slopes = [_slope(smooth, axis) for axis in range(channel.ndim)]
        yield smooth
        yield np.sqrt(sum(slope**2 for slope in slopes))
        hessian = np.stack(
            [np.stack([_slope(slope, axis) for axis in range(channel.ndim)], -1) for slope in slopes], -1
        )
        yield np.trace(hessian, axis1=-2, axis2=-1)
        yield from _eigenvalues(hessian)


def _eigenvalues(hessian: Float[np.ndarray, "*grid axis axis"]) -> Iterator[Float[np.ndarray, "*grid"]]:
    """From the smallest to the largest; of two the formula, which is much quicker."""
    if hessian.shape[-1] != 2:
        yield from np.moveaxis(np.linalg.eigvalsh(hessian), -1, 0)
        return
    half = (hessian[..., 0, 0] + hessian[..., 1, 1]) / 2
    apart = np.hypot((hessian[..., 0, 0] - hessian[..., 1, 1]) / 2, hessian[..., 0, 1])
    yield half - apart
    yield half + apart


def _slope(values: Float[np.ndarray, "*grid"], axis: int) -> Float[np.ndarray, "*grid"]:
    """Half the difference of the neighbours along an axis; 0 along an axis of one point."""
    if values.shape[axis] == 1:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, axis=axis), dtype=np.float32)


def _slabs(shape: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last plane of pieces whose features fit into memory."""
    planes = max(1, _SLAB // max(1, int(np.prod(shape[1:]))))
    for first in range(0, shape[0], planes):
        yield first, min(shape[0], first + planes)


def _sample(placed: ResampledMasks, row: int, values: Grid, most: int, rng: np.random.Generator) -> _Pixels:
    """Points of one record, as many of each region as of the rest; each weighs as the points that it stands for."""
    layers = placed.maps[int(placed.entry[row])]
    found = layers[0] if placed.exclusive else layers[:-1].any(axis=0).astype(np.uint8)
    kind = np.where(layers[-1] != 0, found.astype(np.int16), -1).ravel()
    chosen, weight = [], []
    kinds = [label for label in np.unique(kind) if label >= 0]
    for label in kinds:
        points = np.flatnonzero(kind == label)
        some = np.sort(rng.choice(points, min(len(points), most // len(kinds)), replace=False))
        chosen.append(some)
        weight.append(np.full(len(some), len(points) / len(some)))
    flat = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.int64)
    order = np.argsort(np.concatenate(chosen), kind="stable") if chosen else flat
    labels = np.stack([layer.ravel()[flat] for layer in layers[:-1]], axis=1).astype(np.int64)
    plane = int(np.prod(values.shape[2:]))
    parts = []
    for first, last in _slabs(values.shape[1:]):
        within = flat[(flat >= first * plane) & (flat < last * plane)] - first * plane
        if len(within):
            parts.append(describe(values, first, last)[within])
    return _Pixels(np.concatenate(parts), labels, np.concatenate(weight)[order])


def _gather(question: PlainQuestion) -> _Pixels | None:
    """Points of the training rows; None where there are too few to learn from."""
    placed: ResampledMasks = question.truth.masks
    rows = [int(row) for row in question.rows.train.index if placed.known(int(row))]
    rng = np.random.default_rng(np.random.SeedSequence((question.seed, 0x70697865)))  # "pixe": a stream of its own
    if not rows:
        return None
    most = max(_FEWEST, _SAMPLED // len(rows))
    some = [_sample(placed, row, question.values(row), most, rng) for row in rows]
    whole = [np.concatenate([getattr(one, name) for one in some]) for name in ("features", "labels", "weight")]
    return _Pixels(whole[0], whole[1], whole[2] / whole[2].mean())


def _fit(question: PlainQuestion, model: Any, weight: str) -> Answers | None:
    """One classifier for all regions where they exclude each other, else one for each.

    Args:
        question: What to answer.
        model: Makes an untrained classifier.
        weight: What its ``fit`` calls the weight of a point.
    """
    pixels = _gather(question)
    if pixels is None or any(len(np.unique(column)) < 2 for column in pixels.labels.T):
        return None
    fitted = [model().fit(pixels.features, column, **{weight: pixels.weight}) for column in pixels.labels.T]
    regions = question.truth.masks.regions

    def answer(row: int) -> RegionProbabilities:
        place, values = question.lattice(row), question.values(row)
        probability = np.zeros((regions, *place.shape), dtype=np.float32)
        for first, last in _slabs(place.shape):
            features = describe(values, first, last)
            for number, one in enumerate(fitted):
                chances = one.predict_proba(features).T
                for label, chance in zip(one.classes_, chances, strict=True):
                    if label > 0:
                        region = int(label) - 1 if question.truth.masks.exclusive else number
                        probability[region, first:last] = chance.reshape(last - first, *place.shape[1:])
        in_file = np.stack([quantised(to_file(region, place)) for region in probability])
        return RegionProbabilities(pack(in_file), place.source.spacing)

    return answer


def fit_logistic(question: PlainQuestion) -> Answers | None:
    """Logistic regression of the features of a point."""
    return _fit(
        question,
        lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)),
        "logisticregression__sample_weight",
    )


def fit_boosting(question: PlainQuestion) -> Answers | None:
    """Boosted trees on the features of a point."""
    return _fit(
        question,
        lambda: HistGradientBoostingClassifier(max_iter=_TREES, early_stopping=False, random_state=question.seed),
        "sample_weight",
    )


@final
class PlainSegment(PlainDense):
    """Plain models of kind "segment"."""

    offered = (DenseSort("pixel logistic", fit_logistic), DenseSort("pixel boosting", fit_boosting))
