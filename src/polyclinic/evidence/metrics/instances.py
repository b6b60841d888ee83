"""How well objects were told apart: cells of a picture held against the true ones, by the points they share.

Both come as numbers on a grid, 0 = none. All figures of one picture are made from one list of overlapping pairs, so
large pictures are fast; a picture without true and predicted objects has nothing to judge.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyclinic.evidence.metrics.morphology import numbered

LEVELS = np.arange(50, 100, 5) / 100
"""Overlaps (intersection over union) that a match must exceed; above a half a match is the only one possible."""


@dataclass(frozen=True)
class Overlaps:
    """Pairs of a true and a predicted object that share points.

    Attributes:
        true_ids: Numbers of the true objects, ascending.
        predicted_ids: Numbers of the predicted ones.
        true_size: Points of each true object.
        predicted_size: Points of each predicted one.
        true: Position of the true object of each pair.
        predicted: Position of the predicted one.
        shared: Points of both.
    """

    true_ids: Int[np.ndarray, " true"]
    predicted_ids: Int[np.ndarray, " predicted"]
    true_size: Int[np.ndarray, " true"]
    predicted_size: Int[np.ndarray, " predicted"]
    true: Int[np.ndarray, " pair"]
    predicted: Int[np.ndarray, " pair"]
    shared: Int[np.ndarray, " pair"]

    @property
    def union(self) -> Int[np.ndarray, " pair"]:
        """Points of either, for each pair."""
        whole: Int[np.ndarray, " pair"] = self.true_size[self.true] + self.predicted_size[self.predicted] - self.shared
        return whole

    @property
    def iou(self) -> Float[np.ndarray, " pair"]:
        """Intersection over union of each pair."""
        share: Float[np.ndarray, " pair"] = self.shared / self.union
        return share


@dataclass(frozen=True)
class Instances:
    """What was found of the objects of one picture.

    Attributes:
        true: Number of true objects.
        predicted: Number of predicted ones.
        matched: Pairs whose overlap exceeds each of ``LEVELS``.
        matched_iou: Sum of the overlaps of the pairs above a half.
        aji: Aggregated Jaccard index; NaN where there is nothing to judge.
        aji_plus: The same with each predicted object used once.
        pairs: The pairs above a half: positions in the lists of true and of predicted numbers.
    """

    true: int
    predicted: int
    matched: Int[np.ndarray, " level"]
    matched_iou: float
    aji: float
    aji_plus: float
    pairs: Int[np.ndarray, "pair 2"]

    @property
    def quality(self) -> float:
        """Panoptic quality; NaN where there is nothing to judge."""
        both = self.true + self.predicted
        return 2 * self.matched_iou / both if both else float("nan")


def overlaps(truth: Int[np.ndarray, "*grid"], predicted: Int[np.ndarray, "*grid"]) -> Overlaps:
    """All pairs that share points, from one joint histogram."""
    (true_ids, true_at), (predicted_ids, predicted_at) = numbered(truth), numbered(predicted)
    wide = len(predicted_ids) + 1
    joint = (true_at * wide + predicted_at).ravel()
    codes, counts = np.unique(joint[joint > 0], return_counts=True)
    true, found = codes // wide, codes % wide
    true_size = np.bincount(true, counts, len(true_ids) + 1)[1:].astype(np.int64)
    predicted_size = np.bincount(found, counts, wide)[1:].astype(np.int64)
    both = (true > 0) & (found > 0)
    return Overlaps(true_ids, predicted_ids, true_size, predicted_size, true[both] - 1, found[both] - 1, counts[both])


def judge(truth: Int[np.ndarray, "*grid"], predicted: Int[np.ndarray, "*grid"]) -> tuple[Instances, Overlaps]:
    """Everything about the objects of one picture.

    Source: the aggregated Jaccard index, Kumar N et al. IEEE Transactions on Medical Imaging 2017;36:1550-1560; "plus",
    Graham S et al. (HoVer-Net), Medical Image Analysis 2019;58:101563, section 4.2; panoptic quality, Kirillov A et al.
    CVPR 2019; matches above an overlap of a half are unique, as shown there.
    """
    found = overlaps(truth, predicted)
    iou = found.iou
    half = iou > LEVELS[0]
    nothing = not len(found.true_ids) and not len(found.predicted_ids)
    instances = Instances(
        true=len(found.true_ids),
        predicted=len(found.predicted_ids),
        matched=(iou[:, None] > LEVELS).sum(axis=0),
        matched_iou=float(iou[half].sum()),
        aji=float("nan") if nothing else _aggregated(found, _best(found)),
        aji_plus=float("nan") if nothing else _aggregated(found, _once(found)),
        pairs=np.stack([found.true[half], found.predicted[half]], axis=1),
    )
    return instances, found


def _aggregated(found: Overlaps, chosen: Int[np.ndarray, " _"]) -> float:
    """Shared over joint points of the chosen pairs; every object left out adds its points to the joint ones."""
    true_left, predicted_left = np.ones(len(found.true_ids), bool), np.ones(len(found.predicted_ids), bool)
    true_left[found.true[chosen]] = False
    predicted_left[found.predicted[chosen]] = False
    left = found.true_size[true_left].sum() + found.predicted_size[predicted_left].sum()
    return float(found.shared[chosen].sum() / (found.union[chosen].sum() + left))


def _best(found: Overlaps) -> Int[np.ndarray, " _"]:
    """For every true object the predicted one that overlaps most, the first of equals; one may be chosen twice."""
    order = np.lexsort((np.arange(len(found.true)), -found.iou, found.true))
    return order[np.unique(found.true[order], return_index=True)[1]]


def _once(found: Overlaps) -> Int[np.ndarray, " _"]:
    """Pairs in which nobody comes twice, with the largest sum of overlaps; each heap of touching objects by itself."""
    if not len(found.true):
        return np.zeros(0, dtype=np.int64)
    sides = len(found.true_ids), len(found.predicted_ids)
    edges = (np.ones(len(found.true)), (found.true, sides[0] + found.predicted))
    heap = connected_components(coo_array(edges, shape=(sum(sides), sum(sides))), directed=False)[1][found.true]
    order = np.argsort(heap, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(heap[order])) + 1)
    return np.sort(np.concatenate([piece if len(piece) == 1 else _assigned(found, piece) for piece in pieces]))


def _assigned(found: Overlaps, piece: Int[np.ndarray, " pair"]) -> Int[np.ndarray, " _"]:
    rows, row_at = np.unique(found.true[piece], return_inverse=True)
    columns, column_at = np.unique(found.predicted[piece], return_inverse=True)
    gain, pair = np.zeros((len(rows), len(columns))), np.full((len(rows), len(columns)), -1)
    gain[row_at, column_at], pair[row_at, column_at] = found.iou[piece], piece
    chosen: Int[np.ndarray, " _"] = pair[linear_sum_assignment(gain, maximize=True)]
    return chosen[chosen >= 0]
