"""What a plain program says of objects: blobs by Otsu's threshold, and a logistic regression of what each of them is.

In pictures and in volumes. Blobs that touch are parted half-way between the points that lie deepest inside; both the
whole and the parts are offered. Source: Otsu N. IEEE Transactions on Systems, Man, and Cybernetics 1979;9:62-66.
"""

from dataclasses import dataclass
from typing import cast, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from polyclinic.baselines.questions.base import Answers, DenseSort, PlainDense, PlainQuestion
from polyclinic.baselines.questions.cells import otsu
from polyclinic.decoding.box_votes import overlaps
from polyclinic.decoding.placed_boxes import in_file
from polyclinic.geometry import Lattice
from polyclinic.heads.detect import Detect
from polyclinic.layers.objects.boxes import suppress

_LEARNING_RECORDS = 60  # spread evenly; a round number
_MOST_BLOBS = 150
"""Blobs of each sort in a record, the largest first."""
_FEWEST_POINTS = 4  # a smaller blob is noise; a round number
_RIGHT = 0.5  # overlap of a box that counts as found; the usual bar
_LEAST = 1e-4  # chance below which a box is left out
_PENALTY = 1e-2  # keeps the weights finite where all is told apart; a round number
_STEPS = 300  # of the optimiser at most; a round number


@dataclass(frozen=True)
class Blobs:
    """What might be an object: its box on the network's grid, and what it looks like."""

    boxes: Float[np.ndarray, "blob corner"]
    looks: Float[np.ndarray, "blob look"]


@dataclass(frozen=True)
class Classifier:
    """A multinomial logistic regression of standardised looks; the last class is "nothing"."""

    centre: Float[np.ndarray, " look"]
    spread: Float[np.ndarray, " look"]
    weights: Float[np.ndarray, "look_and_offset klass"]

    def chances(self, looks: Float[np.ndarray, "blob look"]) -> Float[np.ndarray, "blob klass"]:
        """The chance of every class for every blob."""
        return np.asarray(softmax(_design(looks, self.centre, self.spread) @ self.weights, axis=1))


def find_blobs(values: Float[np.ndarray, " channel *grid"]) -> Blobs:
    """Blobs of one record: brighter or darker than the rest, on the whole or in one colour."""
    mean = values.mean(axis=0)
    layers = [mean] if len(values) == 1 else [mean, *(channel - mean for channel in values)]
    boxes, looks = [], []
    for number, layer in enumerate(layers):
        smooth = ndimage.gaussian_filter(layer, 1.0)
        inside = smooth > otsu(smooth.reshape(1, -1))
        for sign, mask in enumerate((inside, ~inside)):
            for parted, labels in enumerate((_labelled(mask), _parted(mask))):
                sort = np.zeros(2 * len(layers) + 1)
                sort[2 * number + sign], sort[-1] = 1, parted
                found = _describe(labels, values, sort)
                boxes += [box for box, _ in found]
                looks += [look for _, look in found]
    dim = mean.ndim
    width = 2 + 2 * dim + 3 * len(values) + 2 * len(layers) + 1
    return Blobs(np.array(boxes).reshape(len(boxes), 2 * dim), np.array(looks).reshape(len(looks), width))


def _labelled(mask: Bool[np.ndarray, "*grid"]) -> Int[np.ndarray, "*grid"]:
    return np.asarray(ndimage.label(mask)[0])


def _parted(mask: Bool[np.ndarray, "*grid"]) -> Int[np.ndarray, "*grid"]:
    """The same with touching blobs parted: every point goes with the nearest of those that lie deepest inside."""
    if mask.all():
        return _labelled(mask)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.0)
    reach = max(3, round(float(np.median(depth[mask])) if mask.any() else 3))
    seeds = _labelled((depth == ndimage.maximum_filter(depth, 2 * reach + 1)) & mask)
    if not seeds.any():
        return seeds
    nearest = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    return np.asarray(seeds[tuple(nearest)] * mask)


def _describe(
    labels: Int[np.ndarray, "*grid"], values: Float[np.ndarray, " channel *grid"], sort: Float[np.ndarray, " sort"]
) -> list[tuple[Float[np.ndarray, " corner"], Float[np.ndarray, " look"]]]:
    """Box and looks of the largest blobs: extent, how full the box is, the colours inside, around, and their spread."""
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    largest = [k for k in np.argsort(-counts, kind="stable")[:_MOST_BLOBS] if counts[k] >= _FEWEST_POINTS]
    places, found = ndimage.find_objects(labels), []
    shape = np.array(labels.shape)
    for k in largest:
        place = cast(tuple[slice, ...], places[k - 1])
        low, high = np.array([one.start for one in place]), np.array([one.stop for one in place])
        if (high - low >= shape).all():
            continue
        mine = labels[place] == k
        window = values[(slice(None), *place)]
        inside, whole = window[:, mine], window.reshape(len(values), -1)
        edges = [low == 0, high == shape]
        look = [
            np.array([np.log(counts[k]), mine.mean()]),
            np.log(high - low),
            (edges[0] | edges[1]).astype(np.float64),
            inside.mean(axis=1),
            inside.std(axis=1),
            whole.mean(axis=1),
            sort,
        ]
        found.append((np.concatenate([low, high]).astype(np.float64), np.concatenate(look).astype(np.float64)))
    return found


def fit_blobs(question: PlainQuestion) -> Answers | None:
    """Learn from training rows what a blob is; None where none of them holds an object."""
    head: Detect = question.head
    rows = [int(row) for row in question.rows.train.index if question.places[row] is not None]
    rows = [row for row in rows if question.truth.known[row]]
    rows = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, _LEARNING_RECORDS).round().astype(int))]
    seen = [find_blobs(question.values(row)) for row in rows]
    nothing = len(head.plan.classes)
    truth = [_what(blobs, question.truth.boxes[row], nothing) for blobs, row in zip(seen, rows, strict=True)]
    if not rows or all((one == nothing).all() for one in truth):
        return None
    classifier = _learn(np.concatenate([one.looks for one in seen]), np.concatenate(truth), nothing + 1)

    def answer(row: int) -> Float[np.ndarray, "box entry"]:
        blobs, place = find_blobs(question.values(row)), question.lattice(row)
        return _answer(blobs, classifier, place, head.options.overlap, head.options.most)

    return answer


def _what(blobs: Blobs, truth: Float[np.ndarray, "object part"], nothing: int) -> Int[np.ndarray, " blob"]:
    """The class of the object that each blob overlaps by half, or ``nothing``."""
    if not len(truth):
        return np.full(len(blobs.boxes), nothing)
    overlap = overlaps(blobs.boxes, truth[:, 1:])
    return np.where(overlap.max(axis=1) >= _RIGHT, truth[overlap.argmax(axis=1), 0].astype(np.int64), nothing)


def _answer(
    blobs: Blobs, classifier: Classifier, place: Lattice, overlap: float, most: int
) -> Float[np.ndarray, "box entry"]:
    """Log-odds, class and corners in the file, best first, as the head's gatherer gives them."""
    dim = len(place.shape)
    if not len(blobs.boxes):
        return np.zeros((0, 2 + 2 * dim), dtype=np.float32)
    chances = classifier.chances(blobs.looks)[:, :-1]
    blob, klass = np.nonzero(chances > _LEAST)
    chance = np.clip(chances[blob, klass], _LEAST, 1 - _LEAST)
    logit, boxes = np.log(chance / (1 - chance)), blobs.boxes[blob]
    tensors = torch.from_numpy(boxes), torch.from_numpy(logit), torch.from_numpy(klass)
    kept = suppress(*tensors, overlap).numpy()[:most]
    found = np.concatenate([logit[kept, None], klass[kept, None], in_file(boxes[kept], place)], axis=1)
    return found.astype(np.float32)


def _design(
    looks: Float[np.ndarray, "blob look"], centre: Float[np.ndarray, " look"], spread: Float[np.ndarray, " look"]
) -> Float[np.ndarray, "blob look_and_offset"]:
    """Standardised looks and their squares, so that a size may be too small or too large; and an offset."""
    scaled = (looks - centre) / spread
    return np.concatenate([scaled, scaled**2, np.ones((len(looks), 1))], axis=1)


def _learn(looks: Float[np.ndarray, "blob look"], truth: Int[np.ndarray, " blob"], classes: int) -> Classifier:
    centre, spread = looks.mean(axis=0), looks.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = _design(looks, centre, spread)
    goal = np.eye(classes)[truth]

    def objective(flat: Float[np.ndarray, " weight"]) -> tuple[float, Float[np.ndarray, " weight"]]:
        weights = flat.reshape(design.shape[1], classes)
        log_p = log_softmax(design @ weights, axis=1)
        slope = design.T @ (np.exp(log_p) - goal) / len(design) + _PENALTY * weights
        return float(-(log_p * goal).sum() / len(design) + 0.5 * _PENALTY * (flat**2).sum()), slope.ravel()

    start = np.zeros(design.shape[1] * classes)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return Classifier(centre, spread, found.x.reshape(design.shape[1], classes))


@final
class PlainDetect(PlainDense):
    """Plain models of kind "detect"."""

    offered = (DenseSort("blobs and logistic regression", fit_blobs),)
