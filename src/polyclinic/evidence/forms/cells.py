"""How cells told apart one by one are judged: each picture once, then figures over pictures or over all their cells."""

from dataclasses import dataclass, fields
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.cells import CellsAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judged, Part, Shown, UnitJudge, counts_of, first_of_rows
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import instances
from polyclinic.evidence.metrics.calibration import wilson_interval
from polyclinic.evidence.metrics.morphology import shapes
from polyclinic.evidence.per_class import Function, calibration_error, counted, means, ratios
from polyclinic.evidence.records import Calibration, CurvePoint, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio
from polyclinic.formats.packed import unpack

MEASURES = ("area", "perimeter", "eccentricity", "solidity")
"""What is measured of matched cells, in the order of ``CellsCase.measured``."""
_GROUPS = 10
_COUNT, _TRUE, _PREDICTED, _TRUE_SQUARED, _PREDICTED_SQUARED, _PRODUCT, _AWAY, _OFF = range(8)


@dataclass(frozen=True)
class CellsCase(Case):
    """What was found of the cells of each picture.

    Attributes:
        true: Number of true cells.
        predicted: Number of predicted ones.
        matched: Pairs by overlap, see ``instances.LEVELS``.
        matched_iou: Sum of the overlaps of pairs above a half.
        aji: Aggregated Jaccard index, NaN where there is nothing to judge.
        aji_plus: The same with every predicted cell used once.
        scores: By tenth of the score: sum of scores, of matches, and number of predicted cells.
        measured: Sums over matched cells of each of ``MEASURES``: number, true value, predicted value, squares of both,
            product, distance and difference as shares of the true value.
    """

    true: Float[np.ndarray, " sample"]
    predicted: Float[np.ndarray, " sample"]
    matched: Float[np.ndarray, "sample level"]
    matched_iou: Float[np.ndarray, " sample"]
    aji: Float[np.ndarray, " sample"]
    aji_plus: Float[np.ndarray, " sample"]
    scores: Float[np.ndarray, "sample three group"]
    measured: Float[np.ndarray, "sample measure sum"]

    @property
    def either(self) -> Float[np.ndarray, "sample level"]:
        """True and predicted cells, pairs counted once."""
        whole: Float[np.ndarray, "sample level"] = (self.true + self.predicted)[:, None] - self.matched
        return whole


def _precision(case: CellsCase) -> Float[np.ndarray, "sample level"]:
    """Matches over true and predicted cells, of each picture at each overlap."""
    return ratio(case.matched, case.either)


def _correlation(measure: int) -> Function:
    """Pearson's correlation of a measure of true and predicted cell, over the matched cells of all pictures."""

    def figure(case: CellsCase, weights: Weights | None) -> Figures:
        n, x, y, xx, yy, xy = (opened(weights, len(case.true)) @ case.measured[:, measure, :_AWAY]).T
        together = n * xy - x * y
        spread = np.maximum(n * xx - x * x, 0.0) * np.maximum(n * yy - y * y, 0.0)
        return closed(ratio(together, np.sqrt(np.where(spread > 1e-18 * (xx * yy) * n**2, spread, 0.0))), weights)

    return figure


def _measured(measure: int, what: int) -> Function:
    return ratios(lambda c: 100 * c.measured[:, measure, what], lambda c: c.measured[:, measure, _COUNT])


def _score_error(case: CellsCase, weights: Weights | None) -> Figures:
    """Distance between score and share of matches, over tenths of the score."""
    summed = np.tensordot(opened(weights, len(case.true)), case.scores, axes=1)
    away = np.abs(summed[:, 0] - summed[:, 1]).sum(axis=1)
    return closed(ratio(away, summed[:, 2].sum(axis=1)), weights)


_HIGHER, _LOWER = Better.HIGHER, Better.LOWER
_HALF, _THREE_QUARTERS = 0, 5
METRICS = (
    Metric("aji", means(lambda c: c.aji), _HIGHER, "aggregated Jaccard index, mean over pictures"),
    Metric("aji_plus", means(lambda c: c.aji_plus), _HIGHER, "the same with every predicted cell used once"),
    Metric(
        "pq",
        means(lambda c: ratio(2 * c.matched_iou, c.true + c.predicted)),
        _HIGHER,
        "panoptic quality: overlap of found cells times how well they are found",
    ),
    counted("sq", ratios(lambda c: c.matched_iou, lambda c: c.matched[:, _HALF]), "mean overlap of matched cells"),
    Metric("rq", means(lambda c: ratio(2 * c.matched[:, _HALF], c.true + c.predicted)), _HIGHER, "F1 of each picture"),
    Metric(
        "ap_50", means(lambda c: _precision(c)[:, _HALF]), _HIGHER, "matches / (matches + missed + false), overlap 0.5"
    ),
    Metric("ap_75", means(lambda c: _precision(c)[:, _THREE_QUARTERS]), _HIGHER, "the same at overlap 0.75"),
    Metric(
        "ap_50_95", means(lambda c: _precision(c).mean(axis=1)), _HIGHER, "mean of the same at overlaps 0.5 to 0.95"
    ),
    counted(
        "ap_50_pooled",
        ratios(lambda c: c.matched[:, _HALF], lambda c: c.either[:, _HALF]),
        "the first of these over the cells of all pictures together",
    ),
    counted(
        "f1_50",
        ratios(lambda c: 2 * c.matched[:, _HALF], lambda c: c.true + c.predicted),
        "F1 over the cells of all pictures, overlap 0.5",
    ),
    counted(
        "cell_sensitivity",
        ratios(lambda c: c.matched[:, _HALF], lambda c: c.true),
        "share of true cells that were found",
    ),
    counted(
        "cell_precision",
        ratios(lambda c: c.matched[:, _HALF], lambda c: c.predicted),
        "share of predicted cells that are one",
    ),
    Metric("count_error", means(lambda c: np.abs(c.predicted - c.true)), _LOWER, "cells too many or too few a picture"),
    Metric("count_bias", means(lambda c: c.predicted - c.true), Better.ZERO, "above 0: too many cells"),
    Metric("area_error_percent", _measured(0, _AWAY), _LOWER, "distance from the true area, matched cells", True),
    Metric("area_bias_percent", _measured(0, _OFF), Better.ZERO, "above 0: matched cells are drawn too large", True),
    *(
        counted(f"{name}_correlation", _correlation(k), f"true and predicted {name} of matched cells")
        for k, name in enumerate(MEASURES)
    ),
    calibration_error(_score_error, "distance between the score and the share of cells that match"),
)


class CellsJudge(UnitJudge):
    """Judges a ``CellsAnswer``."""

    word = "cells"
    headline = ("aji", "ap_50", "pq", "count_error")
    metrics = METRICS

    def known(self, answer: CellsAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have true cells drawn, or are known to have none."""
        return np.array([bool(packed) for packed in answer.truth], dtype=bool)

    def truth(self, answer: CellsAnswer) -> Float[np.ndarray, "sample part"]:
        """A checksum of the true cells."""
        return np.array([[float(crc32(packed))] for packed in answer.truth]).reshape(-1, 1)

    def check(self, answer: CellsAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Predicted cells must lie on the grid of the true ones, with one score from 0 to 1 each."""
        odd, scored = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        for position in range(len(rows)):
            predicted, scores = unpack(answer.predicted[position]), unpack(answer.scores[position])
            odd[position] = predicted.shape != unpack(answer.truth[position]).shape or predicted.min(initial=0) < 0
            cells = np.count_nonzero(np.unique(predicted))
            scored[position] = scores.shape != (cells,) or not bool(((scores >= 0) & (scores <= 1)).all())
        rule, remedy = "cells must be numbered on the grid of the true ones", "Give 0 for none, else the cell's number."
        one, score = "every cell must have one score from 0 to 1", "Give the scores in order of the cells' numbers."
        return [
            *broken("cells_size", place, rule, remedy, odd, rows),
            *broken("impossible_score", place, one, score, scored, rows),
        ]

    def case(self, test: Part, tune: Part | None) -> CellsCase:
        """Every picture judged; nothing is chosen here."""
        found = [_judge(test.answer, position) for position in range(len(test.layout))]
        return CellsCase(**{f.name: np.stack([one[f.name] for one in found]) for f in fields(CellsCase)})

    def counts(self, answer: CellsAnswer, layout: Layout) -> Tested:
        """Rows, patients and true cells."""
        cells = sum(len(np.unique(part[part != 0])) for part in map(unpack, answer.truth[first_of_rows(layout)]))
        return counts_of(layout, {"cells": cells})

    def detail(self, judged: Judged) -> Detail:
        """How often cells of a given score are cells."""
        summed = judged.case.scores[judged.once()].sum(axis=0)
        after = {"expected_calibration_error": judged.estimate("expected_calibration_error")}
        return Detail(Calibration(before={}, after=after, curve=_curve(summed, judged.confidence)))

    def show(self, case: CellsCase) -> Shown:
        """How far the aggregated Jaccard index is from 1; true and predicted number of cells."""
        return Shown(np.nan_to_num(1 - case.aji), case.true, case.predicted)


def _curve(summed: Float[np.ndarray, "three group"], confidence: float) -> tuple[CurvePoint, ...]:
    points = []
    for score, hits, cells in summed.T[summed[2] > 0]:
        low, high = wilson_interval(float(hits), int(cells), confidence)
        points.append(CurvePoint(float(score / cells), float(hits / cells), low, high, int(cells)))
    return tuple(points)


def _judge(answer: CellsAnswer, position: int) -> dict[str, np.ndarray]:
    """All cells of one picture."""
    truth, predicted = unpack(answer.truth[position]), unpack(answer.predicted[position])
    found, pairs = instances.judge(truth, predicted)
    steps = np.where(np.isfinite(answer.spacing[position]), answer.spacing[position], 1.0)
    scores = unpack(answer.scores[position]).astype(np.float64)
    hit = np.zeros(len(scores))
    hit[found.pairs[:, 1]] = 1.0
    group = np.minimum((scores * _GROUPS).astype(int), _GROUPS - 1)
    figures = {f.name: np.asarray(getattr(found, f.name), dtype=np.float64) for f in fields(found) if f.name != "pairs"}
    counted = [np.bincount(group, w, _GROUPS) for w in (scores, hit, np.ones(len(scores)))]
    figures["scores"] = np.stack(counted).astype(np.float64)  # of no cells numpy counts whole numbers
    step = (float(steps[0]), float(steps[1]))
    return figures | {"measured": _compare(truth, predicted, pairs, found.pairs, step)}


def _compare(
    truth: np.ndarray, predicted: np.ndarray, found: instances.Overlaps, pairs: np.ndarray, step: tuple[float, float]
) -> Float[np.ndarray, "measure sum"]:
    """Sums over matched cells of true and predicted measures. Both lists are in order of the cells' numbers."""
    if not len(pairs):
        return np.zeros((len(MEASURES), _OFF + 1))
    theirs, ours = shapes(truth, step), shapes(predicted, step)
    sums = []
    for name in MEASURES:
        x, y = getattr(theirs, name)[pairs[:, 0]], getattr(ours, name)[pairs[:, 1]]
        off = np.divide(y - x, x, out=np.zeros(len(x)), where=x > 0)
        sums.append([len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y, np.abs(off).sum(), off.sum()])
    return np.array(sums)
