"""How a yes-or-no answer is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from polyclinic.errors import Finding
from polyclinic.evidence import calibration, discrimination, operating_point
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.form import Detail, Form, Judged, Part, Shown, first_of_rows, tested
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.records import Calibration, Curves, OperatingPoint, Tested
from polyclinic.evidence.soundness import check_chances, check_simplex
from polyclinic.evidence.thresholds import Scored, choose
from polyclinic.evidence.weights import Figures, Weights
from polyclinic.predictions import ClassAnswer

GRID = np.linspace(0, 1, 101)
"""False-positive shares (ROC) and sensitivities (precision-recall) at which curves are given."""


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


Plain = Callable[[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"], Weights | None], Figures]


def on_chance(name: str, plain: Plain, better: Better, about: str, pooled: bool = False) -> Metric:
    """A metric of the calibrated chance."""
    return Metric(name, lambda case, w: plain(case.truth, case.probability, w), better, about, pooled)


def on_raw(metric: Metric, plain: Plain) -> Metric:
    """The same metric of the chance before calibration."""
    return Metric(
        metric.name, lambda case, w: plain(case.truth, case.raw, w), metric.better, metric.about, metric.pooled
    )


def on_decision(name: str, plain: Plain, about: str) -> Metric:
    """A metric of the decision. Decisions of all folds are counted together."""
    return Metric(name, lambda case, w: plain(case.truth, case.decision, w), Better.HIGHER, about, pooled=True)


def _at_half(case: BinaryCase, weights: Weights | None) -> Figures:
    return operating_point.accuracy(case.truth, (case.probability > 0.5).astype(np.float64), weights)


CALIBRATION: tuple[tuple[str, Plain, Better, str, bool], ...] = (
    ("brier_score", calibration.brier_score, Better.LOWER, "mean squared error of the predicted chance", False),
    ("log_loss", calibration.log_loss, Better.LOWER, "penalty for being sure and wrong", False),
    ("calibration_slope", calibration.calibration_slope, Better.ONE, "below 1: predictions too extreme", True),
    ("calibration_intercept", calibration.calibration_intercept, Better.ZERO, "below 0: risks too high", True),
    (
        "expected_calibration_error",
        calibration.expected_calibration_error,
        Better.LOWER,
        "mean distance between predicted chance and observed share",
        True,
    ),
)
DECISIONS: tuple[tuple[str, Plain, str], ...] = (
    ("accuracy", operating_point.accuracy, "share of right decisions at the operating point"),
    ("balanced_accuracy", operating_point.balanced_accuracy, "mean of sensitivity and specificity"),
    ("sensitivity", operating_point.sensitivity, "share of the diseased who are found"),
    ("specificity", operating_point.specificity, "share of the healthy who are left in peace"),
    ("ppv", operating_point.ppv, "share of the alarms that are right"),
    ("npv", operating_point.npv, "share of the all-clears that are right"),
    ("f1", operating_point.f1, "harmonic mean of sensitivity and PPV"),
)
METRICS = (
    on_chance("auroc", discrimination.auroc, Better.HIGHER, "chance to rank a diseased patient above a healthy one"),
    on_chance("auprc", discrimination.auprc, Better.HIGHER, "PPV averaged over all sensitivities"),
    *(on_chance(*entry) for entry in CALIBRATION),
    *(on_decision(*entry) for entry in DECISIONS),
    Metric("accuracy_at_half", _at_half, Better.HIGHER, "share right when the likelier class is taken", pooled=True),
)


class BinaryForm(Form):
    """Judges a ``ClassAnswer`` of two classes; the second is the positive one."""

    word = "binary"
    headline = ("auroc", "auprc", "brier_score", "calibration_slope", "sensitivity", "specificity")
    metrics = METRICS

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes

    def known(self, answer: ClassAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have a known class."""
        return np.isfinite(answer.truth)

    def truth(self, answer: ClassAnswer) -> Float[np.ndarray, "sample part"]:
        """0 or 1."""
        return answer.truth[:, None]

    def check(self, answer: ClassAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Chances must lie between 0 and 1 and sum to 1."""
        return check_chances(answer.probabilities, rows, place) + check_simplex(answer.probabilities, rows, place)

    def case(self, test: Part, tune: Part | None) -> BinaryCase:
        """Chances and the decisions at each fold's threshold."""
        answer, fold = test.answer, test.layout.fold
        scored = None if tune is None else _scored(tune)
        chosen = choose(scored, np.unique(fold))
        probability = answer.probabilities[:, 1].astype(np.float64)
        return BinaryCase(
            truth=answer.truth,
            probability=probability,
            raw=answer.raw[:, 1].astype(np.float64),
            decision=chosen.decide(probability, fold),
            threshold=np.array([chosen.by_fold[int(number)] for number in fold]),
            fold=fold,
            rule=chosen.rule,
        )

    def counts(self, answer: ClassAnswer, layout: Layout) -> Tested:
        """Rows and how many of them are positive."""
        base = tested(layout)
        positives = int(answer.truth[first_of_rows(layout)].sum())
        return Tested(base.rows, base.patients, base.folds, base.repeats, positives=positives)

    def detail(self, judged: Judged) -> Detail:
        """Calibration before and after, ROC and precision-recall curve, the thresholds, the two-by-two table."""
        case: BinaryCase = judged.case
        folds = np.unique(case.fold, return_index=True)[1]
        return Detail(
            calibration=_calibration(judged),
            curves=Curves(
                roc=judged.curve("roc", _roc, GRID),
                precision_recall=judged.curve("precision_recall", _precision_recall, GRID),
            ),
            operating_point=OperatingPoint(case.rule, tuple(case.threshold[folds].tolist())),
            confusion=_confusion(case.take(judged.once())),
        )

    def show(self, case: BinaryCase) -> Shown:
        """Surprise at what happened; the classes in the user's words."""
        names = np.array(self.classes or ("0", "1"), dtype=object)
        answered = (case.probability > 0.5).astype(int)
        return Shown(calibration.surprise(case.truth, case.probability), names[case.truth.astype(int)], names[answered])


def _scored(tune: Part) -> Scored:
    return Scored(tune.answer.probabilities[:, 1].astype(np.float64), tune.answer.truth, tune.layout.fold)


def _roc(case: Any, weights: Weights | None) -> Figures:
    return discrimination.roc_curve(case.truth, case.probability, GRID, weights)


def _precision_recall(case: Any, weights: Weights | None) -> Figures:
    return discrimination.precision_recall_curve(case.truth, case.probability, GRID, weights)


def _calibration(judged: Judged) -> Calibration:
    case: BinaryCase = judged.case
    before = judged.estimates([on_raw(on_chance(*entry), entry[1]) for entry in CALIBRATION])
    return Calibration(
        before=before,
        after={name: judged.estimate(name) for name in before},
        curve=calibration.calibration_curve(case.truth, case.probability, judged.confidence),
        curve_before=calibration.calibration_curve(case.truth, case.raw, judged.confidence),
    )


def _confusion(case: BinaryCase) -> tuple[tuple[int, ...], ...]:
    table = np.zeros((2, 2), dtype=int)
    np.add.at(table, (case.truth.astype(int), case.decision.astype(int)), 1)
    return tuple(tuple(row) for row in table.tolist())
