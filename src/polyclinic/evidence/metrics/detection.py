"""How well objects are found: boxes held against boxes, in pictures and in scans alike.

A predicted box finds a true one when they overlap enough. Each picture is matched once; every figure, in every
resample of the patients, is then a matter of counting the matched and the unmatched boxes of the pictures drawn.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from polyclinic.decoding.box_votes import overlaps
from polyclinic.evidence.weights import Weights, opened, ratio

RATES = tuple(2.0**power for power in range(-3, 4))
"""False boxes per picture at which sensitivity is read: from 1/8 to 8.
Source: van Ginneken B et al. Medical Image Analysis 2010;14(6):707-722 (ANODE09)."""

_BLOCK = 1 << 22
"""Numbers held at once while resamples are counted: bounds the memory."""

Corners = Float[np.ndarray, "box 2*dim"]
"""Low corner, then high corner, along the axes of the file's array."""


@dataclass(frozen=True)
class RankedBoxes:
    """Predicted boxes of one class over all pictures, best first.

    Attributes:
        score: Falling.
        hit: Whether the box finds an object, at one overlap.
        owner: The picture it lies in.
        last: The last box with the same score: boxes of one score are taken or left together, so that a figure does
            not hang on the order of the pictures.
        objects: True boxes of the class in each picture.
    """

    score: Float[np.ndarray, " box"]
    hit: Bool[np.ndarray, " box"]
    owner: Int[np.ndarray, " box"]
    last: Int[np.ndarray, " box"]
    objects: Float[np.ndarray, " picture"]


def rank(
    score: Float[np.ndarray, " box"],
    hit: Bool[np.ndarray, " box"],
    owner: Int[np.ndarray, " box"],
    objects: Float[np.ndarray, " picture"],
) -> RankedBoxes:
    """Boxes in falling order of their score."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    last = np.searchsorted(-falling, -falling, side="right") - 1
    return RankedBoxes(falling, hit[order], owner[order], last, objects)


def match(
    predicted: Float[np.ndarray, "box entry"], truth: Float[np.ndarray, "object part"], at: Float[np.ndarray, " level"]
) -> Bool[np.ndarray, "box level"]:
    """Which predicted boxes of one picture find an object, at each of several overlaps.

    Box by box from the best score down, a box takes the object of its class that it overlaps most among those that
    no better box has taken, if the overlap is large enough. Source: the rule of COCO (``cocoeval.evaluateImg``).

    Args:
        predicted: Score, class, corners.
        truth: Class, corners.
        at: Least overlap, each judged by itself.
    """
    hits = np.zeros((len(predicted), len(at)), dtype=bool)
    for klass in np.unique(predicted[:, 1]):
        mine = np.flatnonzero(predicted[:, 1] == klass)
        mine = mine[np.argsort(-predicted[mine, 0], kind="stable")]
        objects = truth[truth[:, 0] == klass, 1:]
        if len(objects):
            hits[mine] = _take(overlaps(predicted[mine, 2:].astype(np.float64), objects.astype(np.float64)), at)
    return hits


def _take(overlap: Float[np.ndarray, "box object"], at: Float[np.ndarray, " level"]) -> Bool[np.ndarray, "box level"]:
    levels = np.arange(len(at))
    free = np.ones((len(at), overlap.shape[1]), dtype=bool)
    hits = np.zeros((len(overlap), len(at)), dtype=bool)
    for box in np.flatnonzero(overlap.max(axis=1) >= at.min()):
        left = np.where(free, overlap[box], -1.0)
        best = left.argmax(axis=1)
        hits[box] = left[levels, best] >= at
        free[levels[hits[box]], best[hits[box]]] = False
    return hits


def average_precision(
    ranking: RankedBoxes, weights: Weights | None = None, points: int = 0
) -> Float[np.ndarray, " draw"]:
    """Area under precision over recall, for every resample; NaN where no object was drawn.

    Precision at a recall is the best at that recall or above.

    Args:
        ranking: Boxes of one class.
        weights: How often each picture was drawn.
        points: 0 = the area itself (Pascal VOC since 2010); 101 = the mean over recalls 0, .01, ... 1 (COCO).
    """
    drawn = opened(weights, len(ranking.objects))
    return np.concatenate([_areas(ranking, block, points) for block in _blocks(drawn, len(ranking.score))])


def _areas(ranking: RankedBoxes, drawn: Weights, points: int) -> Float[np.ndarray, " draw"]:
    found, envelope, objects = _counted(ranking, drawn)
    recall = np.nan_to_num(ratio(found, np.broadcast_to(objects, found.shape)))
    before = np.concatenate([np.zeros((len(recall), 1)), recall[:, :-1]], axis=1)
    share = (_passed(recall, points) - _passed(before, points)) / points if points else recall - before
    return np.where(objects[:, 0] > 0, (share * envelope).sum(axis=1), np.nan)


def _passed(recall: Float[np.ndarray, "draw box"], points: int) -> Float[np.ndarray, "draw box"]:
    """How many of the points of recall have been reached; none before the first object is found."""
    reached = np.floor(recall * (points - 1) + 1e-9) + 1
    return np.asarray(np.where(recall > 0, reached, 0.0))


def _counted(
    ranking: RankedBoxes, drawn: Weights
) -> tuple[Float[np.ndarray, "draw hit"], Float[np.ndarray, "draw hit"], Float[np.ndarray, "draw 1"]]:
    """Objects found down to the score of each box that hits (only there can precision rise), best precision, objects.

    The precision is the best there or with more boxes taken.
    """
    boxes = drawn[:, ranking.owner]
    ends = ranking.last[ranking.hit]
    found = np.cumsum(boxes * ranking.hit, axis=1)[:, ends]
    precision = np.nan_to_num(ratio(found, np.cumsum(boxes, axis=1)[:, ends]))
    return found, np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1], (drawn @ ranking.objects)[:, None]


def sensitivity_at(
    ranking: RankedBoxes, rates: Float[np.ndarray, " rate"], weights: Weights | None = None
) -> Float[np.ndarray, "draw rate"]:
    """Share of the objects found at the lowest score that costs so many false boxes per picture at most (FROC).

    NaN where no object was drawn. Nothing is read between two scores: each figure belongs to a rule one can use.
    """
    drawn = opened(weights, len(ranking.objects))
    return np.concatenate([_sensitivities(ranking, rates, block) for block in _blocks(drawn, len(ranking.score))])


def _sensitivities(
    ranking: RankedBoxes, rates: Float[np.ndarray, " rate"], drawn: Weights
) -> Float[np.ndarray, "draw rate"]:
    boxes = drawn[:, ranking.owner]
    found = np.cumsum(boxes * ranking.hit, axis=1)[:, ranking.last]
    false = np.cumsum(boxes * ~ranking.hit, axis=1)[:, ranking.last]
    found = np.concatenate([np.zeros((len(drawn), 1)), found], axis=1)
    objects, pictures = drawn @ ranking.objects, drawn.sum(axis=1)
    # A tolerance, because a rate of 1/8 of 72 pictures is a whole number that must not be missed by rounding.
    most = rates * pictures[:, None] + 1e-9
    reach = np.array([np.searchsorted(row, costs, "right") for row, costs in zip(false, most, strict=True)])
    read = np.take_along_axis(found, reach.reshape(len(drawn), len(rates)), axis=1)
    return ratio(read, np.broadcast_to(objects[:, None], read.shape))


def _blocks(drawn: Weights, boxes: int) -> list[Weights]:
    size = max(1, _BLOCK // max(1, boxes))
    return [drawn[first : first + size] for first in range(0, max(1, len(drawn)), size)]


def precision_over_recall(
    ranking: RankedBoxes, grid: Float[np.ndarray, " point"], weights: Weights | None = None
) -> Float[np.ndarray, "draw point"]:
    """The best precision at each recall or above; 0 where it is never reached, NaN where no object was drawn."""
    drawn = opened(weights, len(ranking.objects))
    blocks = _blocks(drawn, len(ranking.score) + len(grid))
    return np.concatenate([_precisions(ranking, grid, block) for block in blocks])


def _precisions(
    ranking: RankedBoxes, grid: Float[np.ndarray, " point"], drawn: Weights
) -> Float[np.ndarray, "draw point"]:
    found, envelope, objects = _counted(ranking, drawn)
    padded = np.concatenate([envelope, np.zeros((len(drawn), 1))], axis=1)
    reached = [np.searchsorted(row, grid * whole - 1e-9) for row, whole in zip(found, objects[:, 0], strict=True)]
    read = np.take_along_axis(padded, np.array(reached).reshape(len(drawn), len(grid)), axis=1)
    return np.where(objects > 0, read, np.nan)
