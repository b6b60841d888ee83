"""How a predicted number is judged."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import norm

from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judged, Part, Shown, UnitJudge, counts_of
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import regression
from polyclinic.evidence.per_class import on
from polyclinic.evidence.records import Calibration, Tested
from polyclinic.evidence.soundness import check_finite


@dataclass(frozen=True)
class ValueCase(Case):
    """The predicted and the measured number."""

    truth: Float[np.ndarray, " sample"]
    value: Float[np.ndarray, " sample"]


def _on_value(name: str, function: Any, better: Better, about: str, pooled: bool = False) -> Metric:
    return Metric(name, on("truth", "value")(function), better, about, pooled)


CALIBRATION = ("calibration_slope", "calibration_intercept")
METRICS = (
    _on_value("rmse", regression.rmse, Better.LOWER, "root of the mean squared error, in the unit of the number"),
    _on_value("mae", regression.mae, Better.LOWER, "mean distance, in the unit of the number"),
    _on_value("within_half", regression.within, Better.LOWER, "distance that half of the answers stay within", True),
    _on_value(
        "within_nine_of_ten",
        partial(regression.within, share=0.9),
        Better.LOWER,
        "distance that nine of ten answers stay within",
        True,
    ),
    _on_value("r2", regression.r2, Better.HIGHER, "share of the spread between patients that is predicted"),
    _on_value("spearman", regression.spearman, Better.HIGHER, "correlation of the ranks"),
    _on_value("calibration_slope", regression.calibration_slope, Better.ONE, "below 1: too extreme", True),
    _on_value(
        "calibration_intercept", regression.calibration_intercept, Better.ZERO, "mean of measured - predicted", True
    ),
)


class ValueJudge(UnitJudge):
    """Judges a ``ValueAnswer``."""

    word = "value"
    headline = ("rmse", "mae", "r2", "spearman")
    metrics = METRICS

    def known(self, answer: ValueAnswer) -> Bool[np.ndarray, " sample"]:
        """Which samples have a measured number."""
        return np.asarray(np.isfinite(answer.truth))

    def truth(self, answer: ValueAnswer) -> Float[np.ndarray, "sample part"]:
        """The measured number."""
        return answer.truth[:, None]

    def check(self, answer: ValueAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Predicted numbers must be finite."""
        return check_finite(answer.value, rows, place, "value")

    def case(self, test: Part, tune: Part | None) -> ValueCase:
        """The two numbers: nothing is chosen."""
        return ValueCase(test.answer.truth.astype(np.float64), test.answer.value.astype(np.float64))

    def counts(self, answer: ValueAnswer, layout: Layout) -> Tested:
        """Rows and patients."""
        return counts_of(layout)

    def detail(self, judged: Judged) -> Detail:
        """Measured against predicted number in groups of similar prediction."""
        z = float(norm.ppf(0.5 + judged.confidence / 2))
        curve = regression.calibration_curve(judged.case.truth, judged.case.value, z)
        after = {name: judged.estimate(name) for name in CALIBRATION}
        return Detail(Calibration(before={}, after=after, curve=curve))

    def show(self, case: ValueCase) -> Shown:
        """Distance between predicted and measured number."""
        return Shown(np.abs(case.value - case.truth), case.truth, case.value)
