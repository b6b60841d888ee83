"""How well stretches of a text are found: exactly, or at least in part. Each text is counted once.

Every figure, in every resample of the patients, is then a ratio of sums of the counts of the texts drawn.

Source: exact match of span and label is the rule of the CoNLL-2003 shared task (Tjong Kim Sang EF, De Meulder F);
a part is enough in "partial" matching, as in MUC-5 (Chinchor N, Sundheim B, 1993).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.evidence.metrics.multiclass import mean_of_classes
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio

START, END, LABEL, CONFIDENCE, ASSERTION = range(5)
SEEN = 3
"""In place of the confidence, a true span says whether the training rows hold its wording."""

Predicted = Float[np.ndarray, "predicted 5"]
Truth = Float[np.ndarray, "true 5"]
Counts = Float[np.ndarray, "sample label"]


@dataclass(frozen=True)
class Matched:
    """The spans of one text held against each other.

    Attributes:
        right: Whether each predicted span is a true one: same start, end and label.
        touching: Whether it shares a sign at least with a true one of its label.
        found: Whether each true span was predicted.
        touched: Whether one of its label shares a sign with it at least.
    """

    right: Bool[np.ndarray, " predicted"]
    touching: Bool[np.ndarray, " predicted"]
    found: Bool[np.ndarray, " true"]
    touched: Bool[np.ndarray, " true"]


def match(predicted: Predicted, truth: Truth) -> Matched:
    """Hold the spans of one text against each other. Spans may lie within each other; none comes twice."""
    same_label = predicted[:, None, LABEL] == truth[None, :, LABEL]
    same = same_label & (predicted[:, None, :LABEL] == truth[None, :, :LABEL]).all(axis=2)
    shares = (predicted[:, None, START] < truth[None, :, END]) & (truth[None, :, START] < predicted[:, None, END])
    near = same_label & shares
    return Matched(same.any(axis=1), near.any(axis=1), same.any(axis=0), near.any(axis=0))


def partners(predicted: Predicted, truth: Truth) -> tuple[Float[np.ndarray, "pair 5"], Float[np.ndarray, "pair 5"]]:
    """The predicted spans that are exactly right, and the true ones that they are, in the same order."""
    same = (predicted[:, None, : LABEL + 1] == truth[None, :, : LABEL + 1]).all(axis=2)
    ours, theirs = np.nonzero(same)
    return predicted[ours], truth[theirs]


def share(part: Counts, whole: Counts, weights: Weights | None = None) -> Figures:
    """Share over all labels and texts together (micro average); NaN where there is nothing to share."""
    drawn = opened(weights, len(part))
    return closed(ratio((drawn @ part).sum(axis=1), (drawn @ whole).sum(axis=1)), weights)


def f1(right: Counts, predicted: Counts, found: Counts, truth: Counts, weights: Weights | None = None) -> Figures:
    """Harmonic mean of precision and recall over all labels and texts together.

    0 where spans are there or predicted but none is right; NaN where there are none at all.
    """
    drawn = opened(weights, len(truth))
    sums = [(drawn @ counts).sum(axis=1) for counts in (right, predicted, found, truth)]
    return closed(_harmonic(*sums), weights)


def label_f1(right: Counts, predicted: Counts, found: Counts, truth: Counts, weights: Weights | None = None) -> Figures:
    """The same for each label, "draw label"."""
    drawn = opened(weights, len(truth))
    return closed(_harmonic(*(drawn @ counts for counts in (right, predicted, found, truth))), weights)


def macro_f1(right: Counts, predicted: Counts, found: Counts, truth: Counts, weights: Weights | None = None) -> Figures:
    """The mean over the labels of which there are spans or predictions."""
    drawn = opened(weights, len(truth))
    each = _harmonic(*(drawn @ counts for counts in (right, predicted, found, truth)))
    return closed(mean_of_classes(each), weights)


def label_share(part: Counts, whole: Counts, weights: Weights | None = None) -> Figures:
    """The share for each label, "draw label"."""
    drawn = opened(weights, len(part))
    return closed(ratio(drawn @ part, drawn @ whole), weights)


def _harmonic(
    right: Float[np.ndarray, "*shape"],
    predicted: Float[np.ndarray, "*shape"],
    found: Float[np.ndarray, "*shape"],
    truth: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """F1 of a precision and a recall that may count different things: right of predicted, found of truth."""
    empty = (predicted == 0) & (truth == 0)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted != 0)
    recall = np.divide(found, truth, out=np.zeros_like(found), where=truth != 0)
    both = precision + recall
    value = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both != 0)
    return np.where(empty, np.nan, value)
