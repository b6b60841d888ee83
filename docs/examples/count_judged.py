"""How an expected number of events is judged."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from count_answer import CountAnswer
from jaxtyping import Bool, Float
from scipy.special import xlogy
from scipy.stats import norm

from polyclinic.errors import Finding
from polyclinic.evidence.folds import Case, Layout
from polyclinic.evidence.forms.base import Detail, Judge, Judged, Part, Shown, counts_of
from polyclinic.evidence.metric import Better, Metric
from polyclinic.evidence.metrics import regression
from polyclinic.evidence.records import Calibration, Tested
from polyclinic.evidence.soundness import broken
from polyclinic.evidence.weights import Figures, Weights, closed, opened, ratio


@dataclass(frozen=True)
class CountCase(Case):
    """The expected and the counted number."""

    truth: Float[np.ndarray, " sample"]
    rate: Float[np.ndarray, " sample"]


def deviance(case: CountCase) -> Float[np.ndarray, " sample"]:
    """Poisson deviance: 0 where as many were counted as expected.

    Source: McCullagh P, Nelder JA. Generalized Linear Models, 2nd ed. 1989, section 2.3.
    """
    rate = np.maximum(case.rate, 1e-9)
    return np.asarray(2 * (xlogy(case.truth, case.truth / rate) - (case.truth - rate)))


def mean_deviance(case: CountCase, weights: Weights | None) -> Figures:
    """Of all samples, or of every resample."""
    drawn = opened(weights, len(case.truth))
    return closed(ratio(drawn @ deviance(case), drawn.sum(axis=1)), weights)


def counted_to_expected(case: CountCase, weights: Weights | None) -> Figures:
    """All that were counted, over all that were expected."""
    drawn = opened(weights, len(case.truth))
    return closed(ratio(drawn @ case.truth, drawn @ case.rate), weights)


class CountJudge(Judge):
    """Judges a ``CountAnswer``."""

    word = "count"
    headline = ("poisson_deviance", "counted_to_expected")
    metrics = (
        Metric(
            "poisson_deviance", mean_deviance, Better.LOWER, "surprise at the counted number", title="Poisson deviance"
        ),
        Metric("counted_to_expected", counted_to_expected, Better.ONE, "below 1: too many were expected", pooled=True),
    )

    @classmethod
    def of(cls, answer: CountAnswer) -> Self:
        """The judge of answers like this one."""
        return cls()

    def known(self, answer: CountAnswer) -> Bool[np.ndarray, " sample"]:
        """Of whom the number is known."""
        return np.asarray(np.isfinite(answer.truth))

    def truth(self, answer: CountAnswer) -> Float[np.ndarray, "sample part"]:
        """The counted number."""
        return answer.truth[:, None]

    def check(self, answer: CountAnswer, rows: np.ndarray, place: str) -> list[Finding]:
        """Nobody can be expected to have less than no event."""
        bad = ~(np.isfinite(answer.rate) & (answer.rate >= 0))
        rule = "every expected number must be 0 or more"
        return broken("impossible_rate", place, rule, "Give numbers, not logarithms.", bad, rows)

    def case(self, test: Part, tune: Part | None) -> CountCase:
        """The two numbers: nothing is chosen."""
        return CountCase(test.answer.truth, test.answer.rate)

    def counts(self, answer: CountAnswer, layout: Layout) -> Tested:
        """Rows and patients."""
        return counts_of(layout)

    def detail(self, judged: Judged) -> Detail:
        """Counted against expected number in groups of similar expectation."""
        z = float(norm.ppf(0.5 + judged.confidence / 2))
        curve = regression.calibration_curve(judged.case.truth, judged.case.rate, z)
        return Detail(Calibration(curve=curve))

    def show(self, case: CountCase) -> Shown:
        """The deviance of each; what was counted, and what was expected."""
        return Shown(deviance(case), case.truth, case.rate)
