"""Order and ties, found once for all resamples: what every rank statistic of the house stands on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from polyclinic.evidence.weights import Weights, ratio


@dataclass(frozen=True)
class Ranking:
    """The samples in ascending order of a score.

    Attributes:
        order: Sample at each position.
        starts: Position at which each group of equal scores begins.
    """

    order: Int[np.ndarray, " sample"]
    starts: Int[np.ndarray, " tie"]

    def total(self, weights: Weights) -> Float[np.ndarray, "resample tie"]:
        """Weight within each group of equal scores, ascending."""
        ordered = np.take(weights, self.order, axis=1)
        return ordered if len(self.starts) == len(self.order) else np.add.reduceat(ordered, self.starts, axis=1)

    def split(
        self, weights: Weights, truth: Float[np.ndarray, " sample"]
    ) -> tuple[Float[np.ndarray, "resample tie"], Float[np.ndarray, "resample tie"]]:
        """Weight of the cases (truth 1) and of the controls (truth 0) within each group, ascending."""
        ordered = np.take(weights, self.order, axis=1)
        cases = ordered * truth[self.order]
        controls = ordered - cases
        if len(self.starts) == len(self.order):
            return cases, controls
        return np.add.reduceat(cases, self.starts, axis=1), np.add.reduceat(controls, self.starts, axis=1)

    def spread(self, values: Float[np.ndarray, "resample tie"]) -> Float[np.ndarray, "resample sample"]:
        """A value of each group, given back to its samples in their own order."""
        sizes = np.diff(np.append(self.starts, len(self.order)))
        spread = np.empty((len(values), len(self.order)))
        spread[:, self.order] = np.repeat(values, sizes, axis=1)
        return spread


def rank(score: Float[np.ndarray, " sample"]) -> Ranking:
    """Order the samples by score; equal scores form one group."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    first = np.ones(len(score), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return Ranking(order, np.flatnonzero(first))


def area(
    cases: Float[np.ndarray, "resample tie"], controls: Float[np.ndarray, "resample tie"]
) -> Float[np.ndarray, " resample"]:
    """Share of case-control pairs in which the case scores higher; equal scores count half.

    Both are weights in ascending order of score. NaN where there are no cases or no controls.

    Source: the Mann-Whitney form of the area under the ROC curve, Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
    """
    below = np.cumsum(controls, axis=1)
    pairs = cases.sum(axis=1) * controls.sum(axis=1)
    won = np.einsum("rt,rt->r", cases, below) - 0.5 * np.einsum("rt,rt->r", cases, controls)
    return ratio(won, pairs)


def pairs_won(
    case_score: Float[np.ndarray, " case"],
    cases: Float[np.ndarray, "resample case"],
    control_score: Float[np.ndarray, " control"],
    controls: Float[np.ndarray, "resample control"],
) -> Float[np.ndarray, " resample"]:
    """Weight of the pairs of a case and a control in which the case scores higher; equal scores count half."""
    order = np.argsort(control_score, kind="stable")
    ordered = control_score[order]
    summed = np.zeros((len(controls), len(order) + 1))
    np.cumsum(np.take(controls, order, axis=1), axis=1, out=summed[:, 1:])
    below = np.take(summed, np.searchsorted(ordered, case_score, side="left"), axis=1)
    below += np.take(summed, np.searchsorted(ordered, case_score, side="right"), axis=1)
    return np.asarray(0.5 * np.einsum("rc,rc->r", cases, below))
