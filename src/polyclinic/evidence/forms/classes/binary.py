"""How a yes-or-no answer is judged."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from polyclinic.answers.classes import ClassAnswer
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import GRID, Detail, Judged, Part, Shown, counts_of, first_of_rows
from polyclinic.evidence.forms.classes.chances import ChancesJudge, confusion
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import calibration, discrimination, operating_point
from polyclinic.evidence.metrics.thresholds import ScoredSamples, choose
from polyclinic.evidence.per_class import calibration_error, counted, on
from polyclinic.evidence.records import OperatingPoint, Tested
from polyclinic.evidence.weights import Figures, Weights


@dataclass(frozen=True)
class BinaryCase(Case):
    """Chance of the positive class, what happened, and the decision at the fold's threshold."""

    truth: Float[np.ndarray, " sample"]
    probability: Float[np.ndarray, " sample"]
    raw: Float[np.ndarray, " sample"]
    decision: Float[np.ndarray, " sample"]
    threshold: Float[np.ndarray, " sample"]
    fold: Int[np.ndarray, " sample"]
    rule: str
    delivered: float
    chosen_for: str | float


def calibration_metrics(chances: str) -> tuple[Metric, ...]:
    """What is asked of chances, be they those before calibration or after."""
    of, lower = on("truth", chances), Better.LOWER
    return (
        Metric("brier_score", of(calibration.brier_score), lower, "mean squared error of the predicted chance"),
        Metric("log_loss", of(calibration.log_loss), lower, "penalty for being sure and wrong"),
        Metric(
            "calibration_slope",
            of(calibration.calibration_slope),
            Better.ONE,
            "below 1: predictions too extreme",
            pooled=True,
        ),
        Metric(
            "calibration_intercept",
            of(calibration.calibration_intercept),
            Better.ZERO,
            "below 0: risks predicted too high",
            pooled=True,
        ),
        calibration_error(
            of(calibration.expected_calibration_error), "mean distance between predicted chance and observed share"
        ),
    )


_ranked, _decided, _HIGHER = on("truth", "probability"), on("truth", "decision"), Better.HIGHER
METRICS = (
    Metric("auroc", _ranked(discrimination.auroc), _HIGHER, "chance to rank a diseased patient above a healthy one"),
    Metric("auprc", _ranked(discrimination.auprc), _HIGHER, "PPV averaged over all sensitivities"),
    *calibration_metrics("probability"),
    counted("accuracy", _decided(operating_point.accuracy), "share of right decisions at the operating point"),
    counted("balanced_accuracy", _decided(operating_point.balanced_accuracy), "mean of sensitivity and specificity"),
    counted("sensitivity", _decided(operating_point.sensitivity), "share of the diseased who are found"),
    counted("specificity", _decided(operating_point.specificity), "share of the healthy who are left in peace"),
    counted("ppv", _decided(operating_point.ppv), "share of the alarms that are right"),
    counted("npv", _decided(operating_point.npv), "share of the all-clears that are right"),
    counted("f1", _decided(operating_point.f1), "harmonic mean of sensitivity and PPV"),
    counted(
        "accuracy_at_half",
        lambda case, w: operating_point.accuracy(case.truth, (case.probability > 0.5).astype(np.float64), w),
        "share right when the likelier class is taken",
    ),
)
_CURVES = {"roc": discrimination.roc_curve, "precision_recall": discrimination.precision_recall_curve}
BEFORE = calibration_metrics("raw")


class BinaryJudge(ChancesJudge):
    """Judges a ``ClassAnswer`` of two classes; the second is the positive one."""

    word = "binary"
    headline = ("auroc", "auprc", "brier_score", "calibration_slope", "sensitivity", "specificity")
    metrics = METRICS

    def case(self, test: Part, tune: Part | None) -> BinaryCase:
        """Chances and the decisions at each fold's threshold."""
        answer, fold = test.answer, test.layout.fold
        scored = None
        if tune is not None:
            chances = tune.answer.probabilities[:, 1].astype(np.float64)
            scored = ScoredSamples(chances, tune.answer.truth, tune.layout.fold)
        chosen = choose(scored, np.unique(fold), test.threshold)
        probability = answer.probabilities[:, 1].astype(np.float64)
        return BinaryCase(
            truth=answer.truth,
            probability=probability,
            raw=answer.raw[:, 1].astype(np.float64),
            decision=chosen.decide(probability, fold),
            threshold=np.array([chosen.by_fold[int(number)] for number in fold]),
            fold=fold,
            rule=chosen.rule,
            delivered=chosen.delivered,
            chosen_for=chosen.chosen_for,
        )

    def counts(self, answer: ClassAnswer, layout: Layout) -> Tested:
        """Rows and how many of them are positive."""
        return counts_of(layout, positives=int(answer.truth[first_of_rows(layout)].sum()))

    def detail(self, judged: Judged) -> Detail:
        """Calibration before and after, ROC and precision-recall curve, the thresholds, the two-by-two table."""
        case: BinaryCase = judged.case
        folds = np.unique(case.fold, return_index=True)[1]
        return Detail(
            calibration=judged.calibration(
                BEFORE,
                calibration.calibration_curve(case.truth, case.probability, judged.confidence),
                calibration.calibration_curve(case.truth, case.raw, judged.confidence),
            ),
            curves={name: judged.curve(name, partial(_curve, plain), GRID) for name, plain in _CURVES.items()},
            operating_point=OperatingPoint(
                rule=case.rule,
                thresholds=tuple(case.threshold[folds].tolist()),
                delivered=case.delivered,
                chosen_for=case.chosen_for,
            ),
            confusion=confusion(case.take(judged.once()), 2),
        )

    def show(self, case: BinaryCase) -> Shown:
        """Surprise at what happened; the classes in the user's words, and the chance of the likelier one."""
        names = np.array(self.classes or ("0", "1"), dtype=object)
        answered = (case.probability > 0.5).astype(int)
        loss = calibration.surprise(case.truth, case.probability)
        chance = np.maximum(case.probability, 1 - case.probability)
        return Shown(loss, names[case.truth.astype(int)], names[answered], chance=chance)


def _curve(plain: Any, case: BinaryCase, weights: Weights | None) -> Figures:
    found: Figures = plain(case.truth, case.probability, GRID, weights)
    return found
