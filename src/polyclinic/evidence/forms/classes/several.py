"""How the choice of one among several classes is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from polyclinic.answers.classes import ClassAnswer
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import GRID, Detail, Judged, Part, Shown, counts_of, first_of_rows
from polyclinic.evidence.forms.classes.chances import ChancesJudge, confusion
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import calibration, discrimination, multiclass, operating_point
from polyclinic.evidence.per_class import calibration_error, counted, on
from polyclinic.evidence.records import Curve, CurvePoint, OperatingPoint, Tested
from polyclinic.evidence.weights import Figures, Weights, closed, opened


@dataclass(frozen=True)
class MulticlassCase(Case):
    """Chance of each class, the true class by number, and the likeliest class."""

    truth: Float[np.ndarray, " sample"]
    probabilities: Float[np.ndarray, "sample klass"]
    raw: Float[np.ndarray, "sample klass"]
    decision: Float[np.ndarray, " sample"]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.probabilities[0])


def calibration_metrics(chances: str) -> tuple[Metric, ...]:
    """What is asked of chances, be they those before calibration or after."""
    of, lower = on("truth", chances), Better.LOWER
    return (
        Metric("brier_score", of(multiclass.brier_score), lower, "squared error of the chances, summed over classes"),
        Metric("log_loss", of(multiclass.log_loss), lower, "penalty for being sure and wrong"),
        calibration_error(
            of(multiclass.expected_calibration_error),
            "mean distance between the chance of the likeliest class and how often it was right",
        ),
    )


def _each(name: str, function: Any, about: str, decided: bool = False) -> Metric:
    """A metric of each class against the rest: of its chance, or of deciding for it."""

    def figures(case: MulticlassCase, weights: Weights | None) -> Figures:
        answer = multiclass.as_columns(case.decision, case.classes) if decided else case.probabilities
        return closed(multiclass.by_class(function, case.truth, answer, opened(weights, len(case.truth))), weights)

    return Metric(name, figures, Better.HIGHER, about, pooled=decided)


_ranked, _decided, _HIGHER = on("truth", "probabilities"), on("truth", "decision", "classes"), Better.HIGHER
METRICS = (
    Metric("macro_auroc", _ranked(multiclass.macro_auroc), _HIGHER, "AUROC of each class against the rest, averaged"),
    Metric("macro_auprc", _ranked(multiclass.macro_auprc), _HIGHER, "average precision of each class, averaged"),
    counted(
        "accuracy",
        on("truth", "decision")(operating_point.accuracy),
        "share right when the likeliest class is taken",
    ),
    counted("balanced_accuracy", _decided(multiclass.balanced_accuracy), "share recognised of each class, averaged"),
    counted("macro_f1", _decided(multiclass.macro_f1), "F1 of each class, averaged"),
    *calibration_metrics("probabilities"),
)
BEFORE = calibration_metrics("raw")
PER_CLASS = (
    _each("auroc", discrimination.auroc, "this class against the rest"),
    _each("auprc", discrimination.auprc, "this class against the rest"),
    _each("sensitivity", operating_point.sensitivity, "share of this class that is recognised", True),
    _each("specificity", operating_point.specificity, "share of the others not taken for this class", True),
    _each("ppv", operating_point.ppv, "share right of the answers that name this class", True),
    _each("f1", operating_point.f1, "harmonic mean of sensitivity and PPV", True),
)


class MulticlassJudge(ChancesJudge):
    """Judges a ``ClassAnswer`` of three classes or more."""

    word = "multiclass"
    headline = ("macro_auroc", "accuracy", "macro_f1", "balanced_accuracy", "log_loss", "expected_calibration_error")
    metrics = METRICS

    def case(self, test: Part, tune: Part | None) -> MulticlassCase:
        """Chances, and the likeliest class as the decision: nothing is chosen."""
        answer = test.answer
        return MulticlassCase(
            truth=answer.truth,
            probabilities=answer.probabilities.astype(np.float64),
            raw=answer.raw.astype(np.float64),
            decision=answer.probabilities.argmax(axis=1).astype(np.float64),
        )

    def counts(self, answer: ClassAnswer, layout: Layout) -> Tested:
        """Rows of each class."""
        number = np.bincount(answer.truth[first_of_rows(layout)].astype(int), minlength=len(answer.classes))
        return counts_of(layout, dict(zip(answer.classes, number.tolist(), strict=True)))

    def detail(self, judged: Judged) -> Detail:
        """Figures and curves of each class, calibration of the likeliest class, the table of confusions."""
        case: MulticlassCase = judged.case
        return Detail(
            calibration=judged.calibration(
                BEFORE,
                _calibration_curve(case.truth, case.probabilities, judged.confidence),
                _calibration_curve(case.truth, case.raw, judged.confidence),
            ),
            curves={
                "roc": judged.curve("roc", _macro_roc, GRID),
                "roc_per_class": self._against_rest(judged, "roc", discrimination.roc_curve),
                "precision_recall_per_class": self._against_rest(
                    judged, "precision_recall", discrimination.precision_recall_curve
                ),
            },
            per_class=judged.each(self.classes, PER_CLASS),
            operating_point=OperatingPoint("the likeliest class; nothing was chosen", ()),
            confusion=confusion(case.take(judged.once()), case.classes),
        )

    def _against_rest(self, judged: Judged, name: str, plain: Any) -> dict[str, Curve]:
        """The curve of each class against the rest."""
        return {
            word: judged.curve(name, _one_against_rest(plain, number), GRID) for number, word in enumerate(self.classes)
        }

    def show(self, case: MulticlassCase) -> Shown:
        """Surprise at the true class; the classes in the user's words, and the chance of the answered one."""
        loss = multiclass.surprise(case.truth, case.probabilities)
        names = np.array(self.classes, dtype=object)
        answered = case.decision.astype(int)
        chance = case.probabilities[np.arange(len(answered)), answered]
        return Shown(loss, names[case.truth.astype(int)], names[answered], chance=chance)


def _one_against_rest(plain: Any, number: int) -> Callable[[MulticlassCase, Weights | None], Figures]:
    return lambda case, weights: plain(
        multiclass.one_or_rest(case.truth, number), case.probabilities[:, number], GRID, weights
    )


def _macro_roc(case: MulticlassCase, weights: Weights | None) -> Figures:
    """Sensitivity at each false-positive share, averaged over the classes that are there."""
    drawn = opened(weights, len(case.truth))
    curves = [
        np.asarray(
            discrimination.roc_curve(multiclass.one_or_rest(case.truth, k), case.probabilities[:, k], GRID, drawn)
        )
        for k in range(case.classes)
    ]
    stacked = np.stack(curves, axis=1)
    means = [multiclass.mean_of_classes(stacked[:, :, point]) for point in range(len(GRID))]
    return closed(np.stack(means, axis=1), weights)


def _calibration_curve(truth: np.ndarray, chances: np.ndarray, confidence: float) -> tuple[CurvePoint, ...]:
    """Of the likeliest class: its chance, and how often it was right."""
    right = (chances.argmax(axis=1) == truth).astype(np.float64)
    return calibration.calibration_curve(right, chances.max(axis=1), confidence)
