"""Relations between two stretches of a text: how many are found, how many of the found are right.

Everything is counted sample by sample (a sample is a text), so that patients can be drawn again without looking at a
pair twice. Type 0 means that there is no relation.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.answers.relations import FIRST_CHANCE, PREDICTED, TRUE
from polyclinic.evidence.folds import Case
from polyclinic.evidence.metrics.calibration import BINS, NEVER
from polyclinic.evidence.metrics.multiclass import mean_of_classes
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio
from polyclinic.formats.packed import unpack

PerType = Float[np.ndarray, "resample kind"]


@dataclass(frozen=True)
class RelationCase(Case):
    """Counts of each text, over its pairs with a known truth.

    Attributes:
        there: Pairs that truly are of each type.
        answered: Pairs that were answered with each type.
        right: Those of them that are right.
        surprise: Sum over the pairs of minus the logarithm of the chance given to the true type.
        sure: Sum of the chances of the answered types, by bin of that chance.
        hits: Right answers, by the same bins.
        binned: Pairs, by the same bins.
    """

    there: Float[np.ndarray, "sample kind"]
    answered: Float[np.ndarray, "sample kind"]
    right: Float[np.ndarray, "sample kind"]
    surprise: Float[np.ndarray, " sample"]
    sure: Float[np.ndarray, "sample bin"]
    hits: Float[np.ndarray, "sample bin"]
    binned: Float[np.ndarray, "sample bin"]


def count(pairs: Shaped[np.ndarray, " sample"], types: int) -> RelationCase:
    """Count the pairs of each text.

    Args:
        pairs: Packed pairs of each text, as ``RelationAnswer`` holds them.
        types: Number of types, "no relation" among them.
    """
    counted = [_count_one(judged(packed, types), types) for packed in pairs]
    if not counted:
        wide, bins = np.zeros((0, types)), np.zeros((0, BINS))
        return RelationCase(wide, wide, wide, np.zeros(0), bins, bins, bins)
    return RelationCase(*(np.array(column, dtype=np.float64) for column in zip(*counted, strict=True)))


def judged(packed: bytes, types: int) -> Float[np.ndarray, "pair column"]:
    """The pairs of one text whose truth is known."""
    if not packed:
        return np.zeros((0, FIRST_CHANCE + types))
    pairs = unpack(packed)
    known: Float[np.ndarray, "pair column"] = pairs[pairs[:, TRUE] >= 0]
    return known


def _count_one(pairs: Float[np.ndarray, "pair column"], types: int) -> tuple[np.ndarray, ...]:
    true, answered = pairs[:, TRUE].astype(int), pairs[:, PREDICTED].astype(int)
    chances = pairs[:, FIRST_CHANCE:]
    own = chances[np.arange(len(pairs)), answered]
    place = np.clip(np.ceil(own * BINS).astype(int) - 1, 0, BINS - 1)
    given = np.clip(chances[np.arange(len(pairs)), true], NEVER, 1.0)
    return (
        _tally(true, types),
        _tally(answered, types),
        _tally(true[true == answered], types),
        np.asarray(-np.log(given).sum()),
        np.bincount(place, weights=own, minlength=BINS),
        np.bincount(place, weights=true == answered, minlength=BINS),
        _tally(place, BINS),
    )


def _tally(numbers: np.ndarray, length: int) -> Float[np.ndarray, " _"]:
    return np.bincount(numbers, minlength=length).astype(np.float64)


def micro_f1(case: RelationCase, weights: Weights | None = None) -> Figures:
    """F1 of all relations of all texts put together; "no relation" is no relation."""
    drawn = opened(weights, len(case.there))
    right, answered, there = (_relations(drawn, part) for part in (case.right, case.answered, case.there))
    return closed(ratio(2 * right, answered + there), weights)


def micro_precision(case: RelationCase, weights: Weights | None = None) -> Figures:
    """Share of the answered relations that are right."""
    drawn = opened(weights, len(case.there))
    return closed(ratio(_relations(drawn, case.right), _relations(drawn, case.answered)), weights)


def micro_recall(case: RelationCase, weights: Weights | None = None) -> Figures:
    """Share of the true relations that are found, with the right type."""
    drawn = opened(weights, len(case.there))
    return closed(ratio(_relations(drawn, case.right), _relations(drawn, case.there)), weights)


def _relations(weights: Weights, counts: Float[np.ndarray, "sample kind"]) -> Float[np.ndarray, " resample"]:
    summed: Float[np.ndarray, " resample"] = weights @ counts[:, 1:].sum(axis=1)
    return summed


def pair_accuracy(case: RelationCase, weights: Weights | None = None) -> Figures:
    """Share of the pairs that are right, with "no relation" as a type of its own: micro F1 over all types."""
    drawn = opened(weights, len(case.there))
    return closed(ratio(drawn @ case.right.sum(axis=1), drawn @ case.there.sum(axis=1)), weights)


def macro_f1(case: RelationCase, weights: Weights | None = None) -> Figures:
    """F1 of each type of relation, averaged; a type neither there nor answered is left out."""
    return closed(mean_of_classes(f1_by_type(case, opened(weights, len(case.there)))[:, 1:]), weights)


def macro_f1_with_none(case: RelationCase, weights: Weights | None = None) -> Figures:
    """The same with "no relation" as a type of its own."""
    return closed(mean_of_classes(f1_by_type(case, opened(weights, len(case.there)))), weights)


def f1_by_type(case: RelationCase, weights: Weights) -> PerType:
    """F1 of each type."""
    return ratio(2 * weights @ case.right, weights @ case.answered + weights @ case.there)


def precision_by_type(case: RelationCase, weights: Weights) -> PerType:
    """Share right of the answers of each type."""
    return ratio(weights @ case.right, weights @ case.answered)


def recall_by_type(case: RelationCase, weights: Weights) -> PerType:
    """Share found of each type."""
    return ratio(weights @ case.right, weights @ case.there)


def log_loss(case: RelationCase, weights: Weights | None = None) -> Figures:
    """Mean surprise at the true type of a pair, in nats."""
    drawn = opened(weights, len(case.there))
    return closed(ratio(drawn @ case.surprise, drawn @ case.there.sum(axis=1)), weights)


def expected_calibration_error(case: RelationCase, weights: Weights | None = None) -> Figures:
    """Mean distance between the chance of the answered type and how often it was right.

    Source: Guo C et al. ICML 2017, PMLR 70:1321-1330, equation 3, with their 15 bins.
    """
    drawn = opened(weights, len(case.there))
    apart = np.abs(drawn @ case.sure - drawn @ case.hits).sum(axis=1)
    return closed(ratio(apart, drawn @ case.binned.sum(axis=1)), weights)


def never_asked(missed: Int[np.ndarray, "other 5"], types: int) -> Float[np.ndarray, "other column"]:
    """Relations that a model was not asked about (start and end of both, type), as pairs: surely none."""
    answered = np.zeros((len(missed), 1 + types))
    answered[:, 1] = 1.0
    return np.concatenate([missed, answered], axis=1)
