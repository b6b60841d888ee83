"""Plain models of the time until an event: Cox's model, and boosted trees for the hazard of each interval."""

from typing import final

import numpy as np
from jaxtyping import Float

from polyclinic.baselines.boosting import Boosted, Codes, Lesson, Margins, Matrix, classify, lesson_of
from polyclinic.baselines.questions.base import PlainGlobal, with_options
from polyclinic.cohort.rows import Inner
from polyclinic.heads.base import Global
from polyclinic.heads.survive import SurvivalTarget
from polyclinic.layers.survival import hazard
from polyclinic.records.base import Features

_MOST_EXPANDED_ROWS = 1_000_000
"""Rows that trees learn from, a patient once for each interval: about a minute. A round number."""
_INTERVALS = (4, 12)
"""Fewest and most intervals: fewer say little of when, more hardly change a curve."""


@final
class PlainSurvive(PlainGlobal):
    """Plain models of kind "survive"."""

    linear = "Cox regression"

    def as_linear(self, head: Global) -> Global:
        """As Cox's model asks."""
        return with_options(head, method="cox")

    def as_boosted(self, head: Global, rows: int) -> Global:
        """By interval, in as many as trees can afford."""
        return with_options(head, method="hazard", cuts=min(head.options.cuts, intervals_for(rows)))

    def grow(self, target: SurvivalTarget, head: Global, features: Features, rows: Inner, seed: int) -> Boosted:
        """Trees for the event in an interval among those who reached it."""
        codes, edges = Codes.learn(features, rows.train), np.asarray(head.plan.edges)
        plain = lesson_of(codes, features, rows, np.where(target.known, np.arange(len(target.known)), np.nan))
        (seen, truth, weight), (judged, wanted, importance) = (
            _expand(matrix, target.time[index.astype(int)], target.event[index.astype(int)], edges)
            for matrix, index in ((plain.seen, plain.truth), (plain.judged, plain.wanted))
        )
        categorical = (*plain.categorical, False)
        lesson = Lesson(seen, truth, judged, wanted, categorical, len(plain.truth), weight, importance)
        classifier = classify(lesson, 2, seed)

        def margins(matrix: Matrix) -> Margins:
            numbered = (np.full(len(matrix), float(interval)) for interval in range(len(edges) - 1))
            return np.hstack([classifier.log_odds(np.column_stack([matrix, number])) for number in numbered])

        return Boosted(codes, margins)


def intervals_for(rows: int) -> int:
    """Into how many intervals trees cut time: each row is learned from once per interval that it reached."""
    return int(np.clip(_MOST_EXPANDED_ROWS // max(rows, 1), *_INTERVALS))


def _expand(
    matrix: Matrix, time: Float[np.ndarray, " row"], event: Float[np.ndarray, " row"], edges: Float[np.ndarray, " edge"]
) -> tuple[Float[np.ndarray, "expanded column"], Float[np.ndarray, " expanded"], Float[np.ndarray, " expanded"]]:
    """One row per patient and interval reached: features and interval, event or not, share of the interval passed."""
    exposure, happened = hazard.follow(time, event, edges)
    row, interval = np.nonzero(exposure + happened)
    features = np.column_stack([matrix[row], interval])
    return features, happened[row, interval], (exposure + happened)[row, interval]
