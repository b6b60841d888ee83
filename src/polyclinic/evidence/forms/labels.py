"""How several yes-or-no labels at once are judged. Labels that are not known are skipped, sample by sample."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from polyclinic.answers.labels import LabelsAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import GRID, Detail, Judge, Judged, Part, Shown, counts_of, first_of_rows
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import calibration, discrimination, multilabel, operating_point
from polyclinic.evidence.metrics.thresholds import ScoredSamples, choose
from polyclinic.evidence.per_class import calibration_error, counted, on
from polyclinic.evidence.records import Curve, OperatingPoint, Tested
from polyclinic.evidence.soundness import check_chances
from polyclinic.evidence.weights import Figures, Weights, closed, opened


@dataclass(frozen=True)
class LabelsCase(Case):
    """Chance of each label, what is true of it (NaN: not known), and the decision at the fold's threshold."""

    truth: Float[np.ndarray, "sample label"]
    probabilities: Float[np.ndarray, "sample label"]
    raw: Float[np.ndarray, "sample label"]
    decision: Float[np.ndarray, "sample label"]
    thresholds: tuple[tuple[float, ...], ...]
    rule: str
    delivered: tuple[float, ...]
    chosen_for: str | float


def calibration_metrics(chances: str) -> tuple[Metric, ...]:
    """What is asked of chances, be they those before calibration or after."""
    of, lower = on("truth", chances), Better.LOWER
    return (
        Metric("brier_score", of(multilabel.brier_score), lower, "mean squared error of each label's chance, averaged"),
        Metric("log_loss", of(multilabel.log_loss), lower, "penalty for being sure and wrong, averaged over labels"),
        calibration_error(
            of(multilabel.expected_calibration_error),
            "distance between predicted chance and observed share, averaged over labels",
        ),
    )


def _each(name: str, function: Any, better: Better, about: str, decided: bool = False) -> Metric:
    """A metric of each label."""

    def figures(case: LabelsCase, weights: Weights | None) -> Figures:
        answer = case.decision if decided else case.probabilities
        return closed(multilabel.by_label(function, case.truth, answer, opened(weights, len(case.truth))), weights)

    return Metric(name, figures, better, about, pooled=decided)


_ranked, _decided, _HIGHER = on("truth", "probabilities"), on("truth", "decision"), Better.HIGHER
METRICS = (
    Metric("macro_auroc", _ranked(multilabel.macro_auroc), _HIGHER, "AUROC of each label, averaged"),
    Metric("macro_auprc", _ranked(multilabel.macro_auprc), _HIGHER, "average precision of each label, averaged"),
    counted("macro_f1", _decided(multilabel.macro_f1), "F1 of each label at its operating point, averaged"),
    counted("accuracy", _decided(multilabel.accuracy), "share of right decisions at the operating point, averaged"),
    counted(
        "accuracy_at_half",
        lambda case, w: multilabel.accuracy(case.truth, (case.probabilities > 0.5).astype(np.float64), w),
        "share right with one half as the threshold",
    ),
    *calibration_metrics("probabilities"),
)
BEFORE = calibration_metrics("raw")
PER_LABEL = (
    _each("auroc", discrimination.auroc, Better.HIGHER, "ranking of this label"),
    _each("auprc", discrimination.auprc, Better.HIGHER, "average precision of this label"),
    _each("brier_score", calibration.brier_score, Better.LOWER, "mean squared error of the chance"),
    _each("sensitivity", operating_point.sensitivity, Better.HIGHER, "share found of those with the label", True),
    _each("specificity", operating_point.specificity, Better.HIGHER, "share left in peace of those without", True),
    _each("ppv", operating_point.ppv, Better.HIGHER, "share of the alarms that are right", True),
    _each("npv", operating_point.npv, Better.HIGHER, "share of the all-clears that are right", True),
    _each("f1", operating_point.f1, Better.HIGHER, "harmonic mean of sensitivity and PPV", True),
)


class LabelsJudge(Judge):
    """Judges a ``LabelsAnswer``."""

    word = "multilabel"
    headline = ("macro_auroc", "macro_auprc", "macro_f1", "accuracy", "brier_score", "expected_calibration_error")
    metrics = METRICS

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._names = labels

    @classmethod
    def of(cls, answer: LabelsAnswer) -> "LabelsJudge":
        """The judge of answers like this one."""
        return cls(answer.labels)

    def known(self, answer: LabelsAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have at least one known label."""
        return np.asarray(np.isfinite(answer.truth).any(axis=1))

    def truth(self, answer: LabelsAnswer) -> Float[np.ndarray, "sample part"]:
        """0, 1 or NaN for each label."""
        return answer.truth

    def check(self, answer: LabelsAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Chances must lie between 0 and 1."""
        return check_chances(answer.probabilities, rows, place)

    def case(self, test: Part, tune: Part | None) -> LabelsCase:
        """Chances and the decisions at each label's threshold in each fold."""
        answer, fold = test.answer, test.layout.fold
        chances = answer.probabilities.astype(np.float64)
        chosen = [choose(_scored(tune, k), np.unique(fold), test.threshold) for k in range(len(self._names))]
        decisions = [c.decide(chances[:, k], fold) for k, c in enumerate(chosen)]
        return LabelsCase(
            truth=answer.truth,
            probabilities=chances,
            raw=answer.raw.astype(np.float64),
            decision=np.stack(decisions, axis=1),
            thresholds=tuple(tuple(c.by_fold.values()) for c in chosen),
            rule="for each label: " + max((c.rule for c in chosen), key=len),
            delivered=tuple(c.delivered for c in chosen),
            chosen_for=next((c.chosen_for for c in chosen if c.chosen_for), ""),
        )

    def counts(self, answer: LabelsAnswer, layout: Layout) -> Tested:
        """Rows with each label."""
        number = np.nansum(answer.truth[first_of_rows(layout)], axis=0).astype(int)
        return counts_of(layout, dict(zip(answer.labels, number.tolist(), strict=True)))

    def detail(self, judged: Judged) -> Detail:
        """Figures, curves and thresholds of each label; one calibration curve over all labels."""
        case: LabelsCase = judged.case
        known = np.isfinite(case.truth)
        truth, confidence = case.truth[known], judged.confidence
        thresholds = dict(zip(self._names, case.thresholds, strict=True))
        return Detail(
            calibration=judged.calibration(
                BEFORE,
                calibration.calibration_curve(truth, case.probabilities[known], confidence),
                calibration.calibration_curve(truth, case.raw[known], confidence),
            ),
            curves={
                "roc_per_class": self._curves(judged, "roc", discrimination.roc_curve),
                "precision_recall_per_class": self._curves(
                    judged, "precision_recall", discrimination.precision_recall_curve
                ),
            },
            per_class=judged.each(self._names, PER_LABEL),
            operating_point=OperatingPoint(
                rule=case.rule,
                label_thresholds=thresholds,
                label_delivered=dict(zip(self._names, case.delivered, strict=True)),
                chosen_for=case.chosen_for,
            ),
        )

    def _curves(self, judged: Judged, name: str, plain: Any) -> dict[str, Curve]:
        return {label: judged.curve(name, partial(_curve_of, plain, k), GRID) for k, label in enumerate(self._names)}

    def show(self, case: LabelsCase) -> Shown:
        """Mean surprise over the known labels; those that are true, those answered, and the one that surprises most."""
        known = np.isfinite(case.truth)
        surprise = calibration.surprise(np.nan_to_num(case.truth).ravel(), case.probabilities.ravel())
        by_label = surprise.reshape(case.truth.shape) * known
        loss = by_label.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        furthest = (np.arange(len(loss)), by_label.argmax(axis=1))
        return Shown(
            loss,
            self._named(case.truth == 1),
            self._named((case.decision == 1) & known),
            event=np.nan_to_num(case.truth[furthest]),
            chance=case.probabilities[furthest],
            about=np.array(self._names, dtype=object)[furthest[1]],
        )

    def _named(self, chosen: Bool[np.ndarray, "sample label"]) -> np.ndarray:
        names = [", ".join(n for n, on in zip(self._names, row, strict=True) if on) or "none" for row in chosen]
        return np.array(names, dtype=object)


def _scored(tune: Part | None, label: int) -> ScoredSamples | None:
    if tune is None:
        return None
    known = np.isfinite(tune.answer.truth[:, label])
    chances = tune.answer.probabilities[known, label].astype(np.float64)
    return ScoredSamples(chances, tune.answer.truth[known, label], tune.layout.fold[known])


def _curve_of(plain: Any, label: int, case: LabelsCase, weights: Weights | None) -> Figures:
    """A curve of one label over the samples for which it is known; NaN where it is known for none."""
    known = np.flatnonzero(np.isfinite(case.truth[:, label]))
    drawn = opened(weights, len(case.truth))[:, known]
    if len(known) == 0:
        return closed(np.full((len(drawn), len(GRID)), np.nan), weights)
    return closed(plain(case.truth[known, label], case.probabilities[known, label], GRID, drawn), weights)
