"""How found objects are judged: boxes held against boxes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from polyclinic.answers.boxes import BoxAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import (
    GRID,
    ComparedCurve,
    Detail,
    Judge,
    Judged,
    Part,
    Shown,
    counts_of,
    first_of_rows,
    in_words,
    tally,
)
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import detection
from polyclinic.evidence.metrics.calibration import calibration_curve, error_of_found
from polyclinic.evidence.per_class import Function, calibration_error, counted, macro, means, ratios
from polyclinic.evidence.records import Calibration, Curve, OperatingPoint, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.evidence.weights import Figures, Weights, closed, ratio
from polyclinic.formats.packed import object_array, unpack

LEVELS = np.array([0.1, *np.arange(50, 100, 5) / 100])
"""Overlaps at which boxes are matched: 0.1 for scans, where boxes of small lesions scarcely overlap (Baumgartner M et
al., nnDetection, MICCAI 2021), then those of COCO."""
_HALF = 1
_RATES = np.array(detection.RATES)
_COCO_POINTS = 101
FROC_RATES = 2.0 ** np.linspace(-3, 3, 49)
"""False boxes per picture along the FROC curve: eight points an octave, the rates of CPM among them."""


@dataclass(frozen=True)
class BoxCase(Case):
    """The boxes of each picture, matched.

    Attributes:
        names: Classes.
        base: Which of ``LEVELS`` decides whether a box finds an object: overlap 0.5, in a scan 0.1.
        score: Score of each predicted box.
        klass: Its class.
        hits: Whether it finds an object, "box level".
        objects: True boxes by class.
        taken: Boxes whose score reaches the threshold of their class.
        found: Those of them that find an object.
        thresholds: Those scores.
    """

    names: tuple[str, ...]
    base: int
    score: Shaped[np.ndarray, " sample"]
    klass: Shaped[np.ndarray, " sample"]
    hits: Shaped[np.ndarray, " sample"]
    objects: Float[np.ndarray, "sample klass"]
    taken: Float[np.ndarray, "sample klass"]
    found: Float[np.ndarray, "sample klass"]
    thresholds: Float[np.ndarray, "sample klass"]

    def ranking(self, klass: int, level: int) -> detection.RankedBoxes:
        """The boxes of one class over all samples, best first."""
        owner = np.repeat(np.arange(len(self.score)), [len(scores) for scores in self.score])
        if not len(owner):
            return detection.rank(np.zeros(0), np.zeros(0, dtype=bool), owner, self.objects[:, klass])
        score, hits = np.concatenate(list(self.score)), np.concatenate(list(self.hits))[:, level]
        mine = np.concatenate(list(self.klass)) == klass
        return detection.rank(score[mine], hits[mine], owner[mine], self.objects[:, klass])


def _by_class(case: BoxCase, weights: Weights | None, function: Callable[[int], np.ndarray]) -> Figures:
    """One figure for every class, "draw klass ..."."""
    return closed(np.stack([function(klass) for klass in range(len(case.names))], axis=1), weights)


def _precisions(level: int, points: int = 0) -> Function:
    return lambda case, weights: _by_class(
        case, weights, lambda k: detection.average_precision(case.ranking(k, level), weights, points)
    )


def _coco(case: BoxCase, weights: Weights | None) -> Figures:
    """Average precision at overlaps .5, .55, ... .95, averaged."""
    levels = range(_HALF, len(LEVELS))
    figures = [np.asarray(_precisions(level, _COCO_POINTS)(case, weights)) for level in levels]
    return np.asarray(np.mean(figures, axis=0))


def _sensitivities(rates: np.ndarray) -> Function:
    """Sensitivity by class, averaged over rates of false boxes."""
    return lambda case, weights: _by_class(
        case, weights, lambda k: detection.sensitivity_at(case.ranking(k, case.base), rates, weights).mean(axis=1)
    )


@macro
def _froc(case: BoxCase, weights: Weights | None) -> Figures:
    """Sensitivity at each of ``FROC_RATES``, the mean over the classes of which there are objects."""
    return _by_class(case, weights, lambda k: detection.sensitivity_at(case.ranking(k, case.base), FROC_RATES, weights))


_sensitivity = ratios(lambda c: c.found, lambda c: c.objects)
_precision = ratios(lambda c: c.found, lambda c: c.taken)
_false_boxes = means(lambda c: c.taken - c.found)
_count_error = means(lambda c: np.abs(c.taken - c.objects))
_UP, _DOWN = Better.HIGHER, Better.LOWER
_ONE_PER_PICTURE = np.ones(1)
METRICS = (
    Metric("map_50", macro(_precisions(_HALF)), _UP, "area under precision over recall, boxes overlapping by half"),
    Metric("map_50_95", macro(_coco), _UP, "the same, averaged over overlaps from 0.5 to 0.95, as COCO does"),
    Metric("cpm", macro(_sensitivities(_RATES)), _UP, "sensitivity averaged over 1/8 to 8 false boxes per picture"),
    Metric(
        "sensitivity_at_1_false",
        macro(_sensitivities(_ONE_PER_PICTURE)),
        _UP,
        "share of the objects found at the price of one false box per picture",
    ),
    counted("object_sensitivity", macro(_sensitivity), "share of the objects found at the chosen score"),
    counted("object_precision", macro(_precision), "share of the boxes that find an object at that score"),
    counted(
        "object_f1", macro(ratios(lambda c: 2 * c.found, lambda c: c.taken + c.objects)), "harmonic mean of these two"
    ),
    Metric(
        "false_boxes",
        lambda c, w: np.sum(_false_boxes(c, w), axis=-1),
        _DOWN,
        "false boxes per picture, all classes",
        True,
    ),
    Metric("count_error", macro(_count_error), _DOWN, "objects counted too many or too few, per picture and class"),
)
IN_SCANS = Metric("map_10", macro(_precisions(0)), _UP, "area under precision over recall, boxes overlapping a tenth")
PER_CLASS = (
    Metric("average_precision_50", _precisions(_HALF), _UP, "area under precision over recall"),
    Metric("average_precision_50_95", _coco, _UP, "averaged over overlaps from 0.5 to 0.95"),
    Metric("cpm", _sensitivities(_RATES), _UP, "sensitivity averaged over 1/8 to 8 false boxes per picture"),
    Metric("object_sensitivity", _sensitivity, _UP, "share of the objects found", True),
    Metric("object_precision", _precision, _UP, "share of the boxes that find an object", True),
    Metric("count_error", _count_error, _DOWN, "objects counted too many or too few, per picture"),
    Metric("count_bias", means(lambda c: c.taken - c.objects), Better.ZERO, "mean of counted - true, per picture"),
)
_CALIBRATION = calibration_error(
    lambda c, w: error_of_found([hits[:, c.base] for hits in c.hits], list(c.score), w),
    "distance between score and share that is right",
)


class BoxJudge(Judge):
    """Judges a ``BoxAnswer``."""

    word = "boxes"
    headline: tuple[str, ...] = ("map_50", "cpm", "sensitivity_at_1_false", "count_error")
    metrics: tuple[Metric, ...] = METRICS
    line = ComparedCurve(_froc, FROC_RATES)
    unit = "px"

    def __init__(self, classes: tuple[str, ...], dim: int = 2) -> None:
        """``dim`` is the number of axes of the boxes."""
        self.classes = classes
        self._names, self._base = classes, _HALF
        if dim > 2:
            self._base = 0
            self.metrics = (IN_SCANS, *METRICS)
            self.headline = ("map_10", *self.headline[1:])

    @classmethod
    def of(cls, answer: BoxAnswer) -> "BoxJudge":
        """The judge of answers like this one."""
        entries = next((unpack(content).shape[1] for content in answer.predicted if content), 6)
        return cls(answer.classes, (entries - 2) // 2)

    def known(self, answer: BoxAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have known boxes; that there is none is known too."""
        return np.array([bool(content) for content in answer.truth], dtype=bool)

    def truth(self, answer: BoxAnswer) -> Float[np.ndarray, "sample part"]:
        """How many boxes there are, and the sums over their numbers."""
        boxes = [unpack(content).astype(np.float64) for content in answer.truth]
        return np.array([[len(b), b.sum(), (b**2).sum()] for b in boxes]).reshape(len(boxes), 3)

    def check(self, answer: BoxAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Scores must be from 0 to 1, classes known, corners finite and in order."""
        predicted, truth = _all(answer.predicted), _all(answer.truth)
        score = [bool(((b[:, 0] >= 0) & (b[:, 0] <= 1)).all()) for b in predicted]
        known = [_known_classes(p[:, 1:], answer) and _known_classes(t, answer) for p, t in _pairs(predicted, truth)]
        boxes = [_in_order(p[:, 2:]) and _in_order(t[:, 1:]) for p, t in _pairs(predicted, truth)]
        scores, classes = "every score must be a number from 0 to 1", "every box must have one of the declared classes"
        corners = "the corners of every box must be finite, and the high one not before the low one"
        remedy = "Correct the boxes, or leave the row out."
        return [
            *broken("impossible_score", place, scores, "Give scores from 0 to 1.", ~np.array(score, dtype=bool), rows),
            *broken("unknown_class", place, classes, remedy, ~np.array(known, dtype=bool), rows),
            *broken("impossible_box", place, corners, remedy, ~np.array(boxes, dtype=bool), rows),
        ]

    def case(self, test: Part, tune: Part | None) -> BoxCase:
        """Every picture matched once, at each overlap. The thresholds came with the answer, from tune rows."""
        answer: BoxAnswer = test.answer
        predicted, truth = _all(answer.predicted), _all(answer.truth)
        hits = [detection.match(p, t, LEVELS) for p, t in _pairs(predicted, truth)]
        classes = [p[:, 1].astype(np.int64) for p in predicted]
        chosen = [p[:, 0] >= answer.thresholds[i][k] for i, (p, k) in enumerate(zip(predicted, classes, strict=True))]
        pairs = list(zip(classes, chosen, hits, strict=True))
        return BoxCase(
            names=self._names,
            base=self._base,
            score=object_array([p[:, 0].astype(np.float64) for p in predicted]),
            klass=object_array(classes),
            hits=object_array(hits),
            objects=tally([t[:, 0] for t in truth], len(self._names)),
            taken=tally([k[on] for k, on, _ in pairs], len(self._names)),
            found=tally([k[on & h[:, self._base]] for k, on, h in pairs], len(self._names)),
            thresholds=answer.thresholds.astype(np.float64),
        )

    def counts(self, answer: BoxAnswer, layout: Layout) -> Tested:
        """Rows and patients, and true boxes by class."""
        truth = _all(answer.truth[first_of_rows(layout)])
        objects = tally([t[:, 0] for t in truth], len(self._names)).sum(axis=0)
        return counts_of(layout, {name: int(n) for name, n in zip(self._names, objects, strict=True)})

    def detail(self, judged: Judged) -> Detail:
        """Precision over recall by class, figures by class, and how far a score may be taken at its word."""
        case: BoxCase = judged.case
        hits, scores = np.concatenate(list(case.hits))[:, case.base], np.concatenate(list(case.score))
        curve = calibration_curve(hits.astype(np.float64), scores, judged.confidence) if len(scores) else ()
        found = judged.estimates((_CALIBRATION,))
        curves = {name: _curve(judged, k) for k, name in enumerate(self._names)}
        folds = np.unique(judged.layout.fold, return_index=True)[1]
        thresholds = {name: tuple(case.thresholds[folds, k].tolist()) for k, name in enumerate(self._names)}
        return Detail(
            Calibration(before={}, after=found, curve=curve),
            {"precision_recall_per_class": curves, "froc": judged.curve("froc", _froc, FROC_RATES)},
            per_class=judged.each(self._names, PER_CLASS),
            operating_point=OperatingPoint("score with the best F1 on tune rows, for each class", (), thresholds),
        )

    def show(self, case: BoxCase) -> Shown:
        """One minus the F1 of the picture; how many objects there are of each class, and how many were counted."""
        shared = ratio(2 * case.found.sum(axis=1), (case.taken + case.objects).sum(axis=1))
        loss = 1.0 - np.where(np.isfinite(shared), shared, 1.0)
        return Shown(loss, in_words(case.objects, self._names), in_words(case.taken, self._names))


def _curve(judged: Judged, klass: int) -> Curve:
    """Precision over recall of one class."""

    def read(case: BoxCase, weights: Weights | None) -> Figures:
        ranking = case.ranking(klass, case.base)
        return closed(detection.precision_over_recall(ranking, GRID, weights), weights)

    return judged.curve("precision_recall", read, GRID)


def _all(packed: Shaped[np.ndarray, " sample"]) -> list[Float[np.ndarray, "_ _"]]:
    """The boxes of each sample; a sample of which nothing is said has none."""
    return [unpack(content) if content else np.zeros((0, 6), dtype=np.float32) for content in packed]


def _pairs(one: list[Any], other: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(one, other, strict=True))


def _known_classes(classed: Float[np.ndarray, "box entry"], answer: BoxAnswer) -> bool:
    return bool(np.isin(classed[:, 0], np.arange(len(answer.classes))).all())


def _in_order(corners: Float[np.ndarray, "box corner"]) -> bool:
    dim = corners.shape[1] // 2
    if not len(corners):
        return True
    return bool(np.isfinite(corners).all() and (corners[:, dim:] >= corners[:, :dim]).all())
