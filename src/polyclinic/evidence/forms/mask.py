"""How regions of a picture or a scan are judged: each record once, then means over records.

The first figure is the mean Dice. Figures of outlines are in the unit of the spacing; where records differ in that
unit's being known, it is the point of the grid (px) for those where it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float, UInt8

from polyclinic.answers.mask import MaskAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judge, Judged, Part, Shown, first_of_rows, tested
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import levels
from polyclinic.evidence.metrics.overlap import CERTAIN, Overlap, decide, judge_region
from polyclinic.evidence.records import Calibration, Curve, OperatingPoint, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio
from polyclinic.formats.packed import unpack

GRID = np.linspace(0, 1, 101)
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
    said: Each
    thresholds: Each


Read = Callable[[MaskCase], Each]
PerRegion = Callable[[MaskCase, Weights | None], Float[np.ndarray, "resample region ..."]]


def _means(read: Read) -> PerRegion:
    """Mean over the records for which the figure can be had."""

    def figures(case: MaskCase, weights: Weights | None) -> Float[np.ndarray, "resample region"]:
        values, drawn = read(case), opened(weights, len(case.dice))
        return ratio(drawn @ np.nan_to_num(values), drawn @ np.isfinite(values).astype(np.float64))

    return figures


def _ratios(part: Read, whole: Read) -> PerRegion:
    """A share over all drawn records together."""

    def figures(case: MaskCase, weights: Weights | None) -> Float[np.ndarray, "resample region"]:
        drawn = opened(weights, len(case.dice))
        return ratio(drawn @ part(case), drawn @ whole(case))

    return figures


def _at_levels(function: Callable[..., Any], *more: Any) -> PerRegion:
    """A figure of the levels of all drawn records together."""

    def figures(case: MaskCase, weights: Weights | None) -> Float[np.ndarray, "resample region ..."]:
        drawn = opened(weights, len(case.dice))
        true, other = (np.tensordot(drawn, counts, axes=1) for counts in (case.true_levels, case.other_levels))
        return np.asarray(function(true, other, *more))

    return figures


def _macro(per_region: PerRegion, case: MaskCase, weights: Weights | None) -> Figures:
    """Mean over the regions for which the figure can be had."""
    found = per_region(case, weights)
    known = np.isfinite(found)
    return closed(ratio(np.where(known, found, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64)), weights)


def _one(per_region: PerRegion, region: int, case: MaskCase, weights: Weights | None) -> Figures:
    return closed(per_region(case, weights)[:, region], weights)


def _all(per_region: PerRegion, case: MaskCase, weights: Weights | None) -> Figures:
    return closed(per_region(case, weights), weights)


@dataclass(frozen=True)
class _Figure:
    """A figure before it is known whether it is asked of each region or of all."""

    name: str
    function: PerRegion
    better: Better
    about: str
    pooled: bool = False
    raised: bool = False

    def metric(self, how: Callable[..., Figures]) -> Metric:
        return Metric(self.name, partial(how, self.function), self.better, self.about, self.pooled, self.raised)


def _missing(case: MaskCase) -> Each:
    return np.asarray(np.isnan(case.hausdorff_95), dtype=np.float64)


_HIGHER, _LOWER = Better.HIGHER, Better.LOWER
_FIGURES = (
    _Figure("dice", _means(lambda c: c.dice), _HIGHER, "overlap with the true region, mean over records"),
    _Figure("iou", _means(lambda c: c.iou), _HIGHER, "intersection over union, mean over records"),
    _Figure("hausdorff_95", _means(lambda c: c.hausdorff_95), _LOWER, "distance that 95 % of the outlines stay within"),
    _Figure("surface_dice", _means(lambda c: c.surface_dice), _HIGHER, "share of the outlines within the tolerance"),
    _Figure("outline_missing", _means(_missing), _LOWER, "records where a region was missed or made up as a whole"),
    _Figure("size_error", _means(lambda c: np.abs(c.size_error)), _LOWER, "distance of predicted and true size"),
    _Figure(
        "size_error_percent",
        _means(lambda c: np.abs(c.size_error_percent)),
        _LOWER,
        "the same in per cent of the true size",
    ),
    _Figure(
        "size_bias_percent", _means(lambda c: c.size_error_percent), Better.ZERO, "above 0: regions are drawn too large"
    ),
    _Figure(
        "lesion_sensitivity",
        _ratios(lambda c: c.lesions_found, lambda c: c.lesions),
        _HIGHER,
        "share of connected true parts that were touched",
        pooled=True,
    ),
    _Figure(
        "false_lesions", _means(lambda c: c.lesions_false), _LOWER, "connected parts per record that touch nothing true"
    ),
    _Figure(
        "pixel_f1",
        _ratios(lambda c: 2 * c.both, lambda c: c.predicted + c.true),
        _HIGHER,
        "Dice of all points of all records together",
        pooled=True,
    ),
    _Figure(
        "pixel_sensitivity",
        _ratios(lambda c: c.both, lambda c: c.true),
        _HIGHER,
        "share of the points that belong which were found",
        pooled=True,
    ),
    _Figure(
        "pixel_specificity",
        _ratios(lambda c: c.outside, lambda c: c.outside + c.predicted - c.both),
        _HIGHER,
        "share of the other points left in peace",
        pooled=True,
    ),
    _Figure(
        "pixel_accuracy",
        _ratios(lambda c: c.outside + c.both, lambda c: c.outside + c.predicted + c.true - c.both),
        _HIGHER,
        "share of all points decided rightly",
        pooled=True,
    ),
    _Figure("pixel_auroc", _at_levels(levels.auroc), _HIGHER, "ranking of points that belong above the others"),
    _Figure("pixel_auprc", _at_levels(levels.auprc), _HIGHER, "average precision over points"),
    _Figure("brier_score", _at_levels(levels.brier_score), _LOWER, "mean squared error of each point's chance"),
    _Figure(
        "expected_calibration_error",
        _at_levels(levels.expected_calibration_error),
        _LOWER,
        "distance between the chance of points and the share that belongs",
        pooled=True,
        raised=True,
    ),
)
METRICS = tuple(figure.metric(_macro) for figure in _FIGURES)
PER_REGION = tuple(figure.metric(_all) for figure in _FIGURES)
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
        return np.array([bool(truth) and bool(said) for truth, said in pairs], dtype=bool)

    def truth(self, answer: MaskAnswer) -> Float[np.ndarray, "sample part"]:
        """A checksum of the true mask."""
        return np.array([[float(crc32(packed))] for packed in answer.truth])

    def check(self, answer: MaskAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Every mask must have the size of its truth; probabilities of exclusive regions must not exceed 1."""
        odd, much = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        for position in range(len(rows)):
            probability, truth = unpack(answer.probability[position]), unpack(answer.truth[position])
            odd[position] = probability.shape != truth.shape or len(probability) != len(self._names)
            much[position] = answer.exclusive and _exceed(probability)
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
        base, number = tested(layout), np.zeros(len(self._names), dtype=int)
        for position in first_of_rows(layout):
            number += [bool(region.any()) for region in unpack(answer.truth[position])]
        per_class = dict(zip(self._names, number.tolist(), strict=True))
        return Tested(base.rows, base.patients, base.folds, base.repeats, per_class=per_class)

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
        figures = _at_levels(function, GRID)
        return {region: judged.curve(name, partial(_one, figures, k), GRID) for k, region in enumerate(self._names)}

    def show(self, case: MaskCase) -> Shown:
        """How far the mean Dice is from 1; the sizes, true and predicted."""
        return Shown(1 - case.dice.mean(axis=1), self._sizes(case.size), self._sizes(case.said))

    def _sizes(self, sizes: Each) -> np.ndarray:
        words = [
            ", ".join(f"{name} {value:.3g} {self._size_unit}" for name, value in zip(self._names, row, strict=True))
            for row in sizes
        ]
        return np.array(words, dtype=object)


def _exceed(probability: UInt8[np.ndarray, " region *grid"]) -> bool:
    """Whether probabilities of regions that exclude each other sum to more than 1, but for rounding of each."""
    return int(probability.sum(axis=0, dtype=np.int16).max(initial=0)) > CERTAIN + (len(probability) + 1) // 2


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
    figures |= {"size": figures["true"] * point, "said": figures["predicted"] * point}
    figures["size_error"] = figures["size_error"] / per_unit
    pairs = zip(probability, truth, strict=True)
    tallies = [levels.tally(p[_where(inside)].ravel(), t[_where(inside)].ravel()) for p, t in pairs]
    figures |= {"true_levels": np.stack([t for t, _ in tallies]), "other_levels": np.stack([o for _, o in tallies])}
    figures["thresholds"] = np.where(answer.exclusive, np.nan, answer.thresholds[position]) * np.ones(len(truth))
    return figures


def _where(inside: Bool[np.ndarray, "*grid"] | None) -> Any:
    return ... if inside is None else inside
