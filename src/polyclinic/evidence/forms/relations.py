"""How relations between stretches of a text are judged."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.relations import FIRST_CHANCE, PREDICTED, TRUE, RelationAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Layout
from polyclinic.evidence.forms.base import Detail, Judge, Judged, Part, Shown, counts_of, first_of_rows
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import relations
from polyclinic.evidence.metrics.calibration import calibration_curve
from polyclinic.evidence.metrics.relations import PerType, RelationCase
from polyclinic.evidence.per_class import calibration_error, counted
from polyclinic.evidence.records import Calibration, OperatingPoint, Tested
from polyclinic.evidence.soundness import SUM_TOLERANCE, broken
from polyclinic.evidence.weights import Figures, Weights, closed, opened
from polyclinic.formats.packed import unpack


def _each(name: str, function: Callable[[RelationCase, Weights], PerType], about: str) -> Metric:
    """A figure of each type of relation."""

    def figures(case: RelationCase, weights: Weights | None) -> Figures:
        return closed(function(case, opened(weights, len(case.there)))[:, 1:], weights)

    return Metric(name, figures, Better.HIGHER, about, pooled=True)


CALIBRATION = (
    Metric("log_loss", relations.log_loss, Better.LOWER, "penalty for being sure and wrong, of each pair"),
    calibration_error(
        relations.expected_calibration_error,
        "mean distance between the chance of the answered type and how often it was right",
    ),
)
METRICS = (
    counted("micro_f1", relations.micro_f1, "F1 of all relations put together"),
    counted("macro_f1", relations.macro_f1, "F1 of each type of relation, averaged"),
    counted("micro_precision", relations.micro_precision, "share of the answered relations that are right"),
    counted("micro_recall", relations.micro_recall, "share of the true relations that are found"),
    counted("pair_accuracy", relations.pair_accuracy, 'share of the pairs that are right, "none" being a type too'),
    counted("macro_f1_with_none", relations.macro_f1_with_none, 'macro F1 with "none" as a type of its own'),
    *CALIBRATION,
)
PER_TYPE = (
    _each("f1", relations.f1_by_type, "harmonic mean of sensitivity and PPV"),
    _each("ppv", relations.precision_by_type, "share right of the answers of this type"),
    _each("sensitivity", relations.recall_by_type, "share of this type that is found"),
)


class RelationJudge(Judge):
    """Judges a ``RelationAnswer``."""

    word = "relations"
    headline = ("micro_f1", "macro_f1", "micro_precision", "micro_recall", "pair_accuracy", "macro_f1_with_none")
    metrics = METRICS

    def __init__(self, types: tuple[str, ...]) -> None:
        self.labels = types[1:]
        self._types = types

    @classmethod
    def of(cls, answer: RelationAnswer) -> "RelationJudge":
        """The judge of answers like this one."""
        return cls(answer.types)

    def known(self, answer: RelationAnswer) -> Bool[np.ndarray, " sample"]:
        """Which texts have a known truth: one without any pair has."""
        return np.array([_is_known(packed) for packed in answer.pairs], dtype=bool)

    def truth(self, answer: RelationAnswer) -> Float[np.ndarray, "sample part"]:
        """Relations of each type, and sums of where they stand: what a model adds (pairs without one) is not in it."""
        return np.stack([self._sums(packed) for packed in answer.pairs]) if len(answer) else np.zeros((0, 1))

    def _sums(self, packed: bytes) -> Float[np.ndarray, " part"]:
        pairs = relations.judged(packed, len(self._types))
        related = pairs[pairs[:, TRUE] > 0]
        types = np.bincount(related[:, TRUE].astype(int), minlength=len(self._types))[1:]
        return np.concatenate([types, related[:, :TRUE].sum(axis=0)])

    def check(self, answer: RelationAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Types must be declared, and chances must lie between 0 and 1 and sum to 1."""
        pairs = [relations.judged(packed, len(self._types)) for packed in answer.pairs]
        types = np.array([_undeclared(one, len(self._types)) for one in pairs], dtype=bool)
        rule, remedy = "every pair must have declared types", 'Number the types from 0, "none" first.'
        chances = np.array([_impossible(one) for one in pairs], dtype=bool)
        needed = "the probabilities of a pair must lie between 0 and 1 and sum to 1"
        return broken("unknown_type", place, rule, remedy, types, rows) + broken(
            "impossible_probability", place, needed, "Give one probability for every type.", chances, rows
        )

    def case(self, test: Part, tune: Part | None) -> RelationCase:
        """Counts of each text: nothing is chosen."""
        return relations.count(test.answer.pairs, len(self._types))

    def counts(self, answer: RelationAnswer, layout: Layout) -> Tested:
        """Relations of each type."""
        there = relations.count(answer.pairs[first_of_rows(layout)], len(self._types)).there.sum(axis=0)
        return counts_of(layout, {name: int(n) for name, n in zip(self._types[1:], there[1:], strict=True)})

    def detail(self, judged: Judged) -> Detail:
        """Figures of each type, and how far the chance of the answered type can be relied on."""
        after = {metric.name: judged.estimate(metric.name) for metric in CALIBRATION}
        once = judged.case.take(judged.once())
        curve = calibration_curve(*_bins_as_pairs(once), judged.confidence) if once.binned.any() else ()
        return Detail(
            calibration=Calibration(before={}, after=after, curve=curve),
            per_class=judged.each(self._types[1:], PER_TYPE),
            operating_point=OperatingPoint("the likeliest type; nothing was chosen", ()),
        )

    def show(self, case: RelationCase) -> Shown:
        """Mean surprise over the pairs of a text; how many relations it has, and how many of them were found."""
        pairs = case.there.sum(axis=1)
        loss = np.where(pairs > 0, case.surprise / np.maximum(pairs, 1), 0.0)
        return Shown(loss, case.there[:, 1:].sum(axis=1), case.right[:, 1:].sum(axis=1))


def _is_known(packed: bytes) -> bool:
    if not packed:
        return False
    pairs = unpack(packed)
    return len(pairs) == 0 or bool((pairs[:, TRUE] >= 0).any())


def _undeclared(pairs: Float[np.ndarray, "pair column"], types: int) -> bool:
    numbers = pairs[:, [TRUE, PREDICTED]]
    return bool(((numbers < 0) | (numbers >= types) | (numbers != np.rint(numbers))).any())


def _impossible(pairs: Float[np.ndarray, "pair column"]) -> bool:
    chances = pairs[:, FIRST_CHANCE:]
    inside = np.isfinite(chances) & (chances >= 0) & (chances <= 1)
    return not inside.all() or bool((np.abs(chances.sum(axis=1) - 1) > SUM_TOLERANCE).any())


def _bins_as_pairs(case: RelationCase) -> tuple[Float[np.ndarray, " pair"], Float[np.ndarray, " pair"]]:
    """Right or not, and the mean chance of the bin, for every pair: the counts hold no more."""
    binned, hits, sure = (part.sum(axis=0) for part in (case.binned, case.hits, case.sure))
    chance = np.repeat(sure / np.maximum(binned, 1), binned.astype(int))
    right = [np.repeat([1.0, 0.0], [int(h), int(n - h)]) for h, n in zip(hits, binned, strict=True)]
    return np.concatenate(right), chance
