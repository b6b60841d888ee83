"""How regions of a picture or a scan are judged: each record once, then means over records.

The first figure is the mean Dice. Figures of outlines are in the unit of the spacing; where records differ in that
unit's being known, it is the point of the grid (px) for those where it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.mask import MaskAnswer
from polyclinic.decoding.regions import CERTAIN, decide
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import GRID, Detail, Judge, Judged, Part, Shown, counts_of, first_of_rows
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import levels
from polyclinic.evidence.metrics.overlap import Overlap, judge_region
from polyclinic.evidence.per_class import Function, calibration_error, counted, macro, means, ratios
from polyclinic.evidence.records import Calibration, Curve, OperatingPoint, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.evidence.weights import Figures, Weights, closed, opened
from polyclinic.formats.packed import unpack

TOLERANCE = 1.0
"""Outlines this near count as the same: one millimetre, one micrometre or one pixel, as the spacing is given."""
_ML = 1000.0

Each = Float[np.ndarray, "sample region"]


@dataclass(frozen=True)
class MaskCase(Case):
    """What was found of each region in each record; see ``Overlap``. Sizes of single points, errors in ml, mm2 or px.

    Attributes:
        true_levels: Points that belong, at each level of probability.
        other_levels: Points that do not.
        thresholds: In use, by region.
    """

    both: Each
    predicted: Each
    true: Each
    outside: Each
    dice: Each
    iou: Each
    hausdorff_95: Each
    surface_dice: Each
    size_error: Each
    size_error_percent: Each
    lesions: Each
    lesions_found: Each
    lesions_false: Each
    true_levels: Float[np.ndarray, "sample region level"]
    other_levels: Float[np.ndarray, "sample region level"]
    size: Each
    found_size: Each
    thresholds: Each


def _at_levels(function: Callable[..., Any], *more: Any) -> Function:
    """A figure of the levels of all drawn records together."""

    def figures(case: MaskCase, weights: Weights | None) -> Figures:
        drawn = opened(weights, len(case.dice))
        true, other = (np.tensordot(drawn, counts, axes=1) for counts in (case.true_levels, case.other_levels))
        return closed(np.asarray(function(true, other, *more)), weights)

    return figures


_HIGHER, _LOWER = Better.HIGHER, Better.LOWER
PER_REGION = (
    Metric("dice", means(lambda c: c.dice), _HIGHER, "overlap with the true region, mean over records"),
    Metric("iou", means(lambda c: c.iou), _HIGHER, "intersection over union, mean over records"),
    Metric("hausdorff_95", means(lambda c: c.hausdorff_95), _LOWER, "distance that 95 % of the outlines stay within"),
    Metric("surface_dice", means(lambda c: c.surface_dice), _HIGHER, "share of the outlines within the tolerance"),
    Metric(
        "outline_missing",
        means(lambda c: np.isnan(c.hausdorff_95).astype(np.float64)),
        _LOWER,
        "records where a region was missed or made up as a whole",
    ),
    Metric("size_error", means(lambda c: np.abs(c.size_error)), _LOWER, "distance of predicted and true size"),
    Metric(
        "size_error_percent",
        means(lambda c: np.abs(c.size_error_percent)),
        _LOWER,
        "the same in per cent of the true size",
    ),
    Metric(
        "size_bias_percent", means(lambda c: c.size_error_percent), Better.ZERO, "above 0: regions are drawn too large"
    ),
    counted(
        "lesion_sensitivity",
        ratios(lambda c: c.lesions_found, lambda c: c.lesions),
        "share of connected true parts that were touched",
    ),
    Metric(
        "false_lesions", means(lambda c: c.lesions_false), _LOWER, "connected parts per record that touch nothing true"
    ),
    counted(
        "pixel_f1",
        ratios(lambda c: 2 * c.both, lambda c: c.predicted + c.true),
        "Dice of all points of all records together",
    ),
    counted(
        "pixel_sensitivity",
        ratios(lambda c: c.both, lambda c: c.true),
        "share of the points that belong which were found",
    ),
    counted(
        "pixel_specificity",
        ratios(lambda c: c.outside, lambda c: c.outside + c.predicted - c.both),
        "share of the other points left in peace",
    ),
    counted(
        "pixel_accuracy",
        ratios(lambda c: c.outside + c.both, lambda c: c.outside + c.predicted + c.true - c.both),
        "share of all points decided rightly",
    ),
    Metric("pixel_auroc", _at_levels(levels.auroc), _HIGHER, "ranking of points that belong above the others"),
    Metric("pixel_auprc", _at_levels(levels.auprc), _HIGHER, "average precision over points"),
    Metric("brier_score", _at_levels(levels.brier_score), _LOWER, "mean squared error of each point's chance"),
    calibration_error(
        _at_levels(levels.expected_calibration_error),
        "distance between the chance of points and the share that belongs",
    ),
)
METRICS = tuple(replace(metric, function=macro(metric.function)) for metric in PER_REGION)
AFTER = ("brier_score", "expected_calibration_error")


class MaskJudge(Judge):
    """Judges a ``MaskAnswer``."""

    word = "mask"
    headline = ("dice", "iou", "hausdorff_95", "surface_dice")
    metrics = METRICS

    def __init__(self, regions: tuple[str, ...], unit: str, dim: int) -> None:
        self.labels = regions
        self.unit = unit
        self._names, self._dim = regions, dim
        self._size_unit, self._per_unit = _size_unit(unit, dim)

    @classmethod
    def of(cls, answer: MaskAnswer) -> "MaskJudge":
        """The judge of answers like this one."""
        return cls(answer.regions, answer.unit, answer.spacing.shape[1])

    def known(self, answer: MaskAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have a true mask and an answer: a record that is absent has none."""
        pairs = zip(answer.truth, answer.probability, strict=True)
        return np.array([bool(truth) and bool(found) for truth, found in pairs], dtype=bool)

    def truth(self, answer: MaskAnswer) -> Float[np.ndarray, "sample part"]:
        """A checksum of the true mask."""
        return np.array([[float(crc32(packed))] for packed in answer.truth])

    def check(self, answer: MaskAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Every mask must have the size of its truth; probabilities of exclusive regions must not exceed 1."""
        odd, much = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        for position in range(len(rows)):
            probability, truth = unpack(answer.probability[position]), unpack(answer.truth[position])
            odd[position] = probability.shape != truth.shape or len(probability) != len(self._names)
            most = int(probability.sum(axis=0, dtype=np.int16).max(initial=0))
            rounding = (len(probability) + 1) // 2
            much[position] = answer.exclusive and most > CERTAIN + rounding
        remedy = "Give every region on the grid of the true mask."
        rule, chances = "a mask must have the size of the true one", "the probabilities of a point must not exceed 1"
        return [
            *broken("mask_size", place, rule, remedy, odd, rows),
            *broken("impossible_probability", place, chances, "Give one probability for every region.", much, rows),
        ]

    def case(self, test: Part, tune: Part | None) -> MaskCase:
        """Every record judged: decisions were made with the answer's own thresholds, chosen on tune rows."""
        found = [_judge(test.answer, position, self._per_unit) for position in range(len(test.layout))]
        return MaskCase(**{f.name: np.stack([one[f.name] for one in found]) for f in fields(MaskCase)})

    def counts(self, answer: MaskAnswer, layout: Layout) -> Tested:
        """Rows that hold each region."""
        number = np.zeros(len(self._names), dtype=int)
        for position in first_of_rows(layout):
            number += [bool(region.any()) for region in unpack(answer.truth[position])]
        return counts_of(layout, dict(zip(self._names, number.tolist(), strict=True)))

    def detail(self, judged: Judged) -> Detail:
        """Figures and curves of each region; one calibration curve over all points."""
        case: MaskCase = judged.case
        once = judged.once()
        true, other = (counts[once].sum(axis=(0, 1)) for counts in (case.true_levels, case.other_levels))
        after = {name: judged.estimate(name) for name in AFTER}
        curve = levels.calibration_curve(true, other, judged.confidence)
        thresholds = {name: tuple(np.unique(case.thresholds[:, k])) for k, name in enumerate(self._names)}
        rule = "the likeliest of the regions and none of them"
        if np.isfinite(case.thresholds).all():
            rule = "for each region the threshold of the highest Dice, chosen on tune rows of each fold"
        return Detail(
            calibration=Calibration(before={}, after=after, curve=curve),
            curves={
                "roc_per_class": self._curves(judged, "roc", levels.roc_curve),
                "precision_recall_per_class": self._curves(judged, "precision_recall", levels.precision_recall_curve),
            },
            per_class=judged.each(self._names, PER_REGION),
            operating_point=OperatingPoint(rule, (), thresholds),
        )

    def _curves(self, judged: Judged, name: str, function: Any) -> dict[str, Curve]:
        def of_region(region: int, case: MaskCase, weights: Weights | None) -> Figures:
            return np.asarray(np.take(_at_levels(function, GRID)(case, weights), region, axis=-2))

        return {region: judged.curve(name, partial(of_region, k), GRID) for k, region in enumerate(self._names)}

    def show(self, case: MaskCase) -> Shown:
        """How far the mean Dice is from 1; the sizes, true and predicted."""
        return Shown(1 - case.dice.mean(axis=1), self._sizes(case.size), self._sizes(case.found_size))

    def _sizes(self, sizes: Each) -> np.ndarray:
        words = [
            ", ".join(f"{name} {value:.3g} {self._size_unit}" for name, value in zip(self._names, row, strict=True))
            for row in sizes
        ]
        return np.array(words, dtype=object)


def _size_unit(unit: str, dim: int) -> tuple[str, float]:
    """The unit of sizes, and how many of the points' own units make one."""
    if unit == "px":
        return ("px" if dim == 2 else "voxels"), 1.0
    return ("ml", _ML) if unit == "mm" and dim == 3 else (f"{unit}{dim}", 1.0)


def _judge(answer: MaskAnswer, position: int, per_unit: float) -> dict[str, np.ndarray]:
    """All regions of one record."""
    probability, truth = unpack(answer.probability[position]), unpack(answer.truth[position]).astype(bool)
    decided = decide(probability, answer.thresholds[position], exclusive=answer.exclusive)
    inside = unpack(answer.inside[position]).astype(bool) if answer.inside[position] else None
    if inside is not None:
        truth, decided = truth & inside, decided & inside
    steps = answer.spacing[position]
    spacing = tuple(np.where(np.isfinite(steps), steps, 1.0).tolist())
    judged = [judge_region(*pair, spacing, TOLERANCE) for pair in zip(decided, truth, strict=True)]
    figures = {f.name: np.array([getattr(one, f.name) for one in judged]) for f in fields(Overlap)}
    seen = truth.size // len(truth) if inside is None else int(inside.sum())
    figures["outside"] = seen - figures["predicted"] - figures["true"] + figures["both"]
    point = float(np.prod(spacing)) / per_unit
    figures |= {"size": figures["true"] * point, "found_size": figures["predicted"] * point}
    figures["size_error"] = figures["size_error"] / per_unit
    pairs = zip(probability, truth, strict=True)
    tallies = [levels.tally(p[_where(inside)].ravel(), t[_where(inside)].ravel()) for p, t in pairs]
    figures |= {"true_levels": np.stack([t for t, _ in tallies]), "other_levels": np.stack([o for _, o in tallies])}
    figures["thresholds"] = np.where(answer.exclusive, np.nan, answer.thresholds[position]) * np.ones(len(truth))
    return figures


def _where(inside: Bool[np.ndarray, "*grid"] | None) -> Any:
    return ... if inside is None else inside
