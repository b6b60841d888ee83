"""What the score of a box means: from the network's log-odds to the chance that the box finds an object.

Learned on tune rows, class by class, from boxes that were matched as they will be judged.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict
from scipy.special import expit

from polyclinic.decoding import recalibration
from polyclinic.decoding.recalibration import Recalibration
from polyclinic.evidence.metrics.detection import match

IN_PICTURES, IN_SCANS = 0.5, 0.1
"""Overlap at which a box finds an object."""


class ScoreCorrection(BaseModel):
    """How the scores of one class are read.

    Attributes:
        correction: Of the log-odds.
        threshold: Score from which a box counts as found: the one with the best F1.
        note: What was done and why, in words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    correction: Recalibration = Recalibration()
    threshold: float = 0.5
    note: str = "not calibrated"

    def scores(self, logits: Float[np.ndarray, " box"]) -> Float[np.ndarray, " box"]:
        """The chance that each box is right."""
        if not len(logits):
            return np.zeros(0)
        two = recalibration.two_sided(logits.astype(np.float64)[:, None])
        return np.asarray(recalibration.apply(self.correction, two)[:, 1])


def learn_scores(
    raw: Sequence[Float[np.ndarray, "_ entry"]],
    truth: Sequence[Float[np.ndarray, "_ part"]],
    classes: int,
    dim: int,
    method: str,
) -> tuple[ScoreCorrection, ...]:
    """How the scores of every class are to be read.

    Args:
        raw: Log-odds, class, corners, for each tune row.
        truth: Class, corners.
        classes: Number of classes.
        dim: Axes.
        method: "none", "temperature", "isotonic" or "auto", which is "temperature": an isotonic curve has flats, and
            boxes are ranked by their scores.
    """
    at = np.array([IN_PICTURES if dim == 2 else IN_SCANS])
    hits = [match(s, t, at)[:, 0] for s, t in zip(raw, truth, strict=True)]
    blank = np.zeros((0, 2))
    ranked = np.concatenate([blank, *(s[:, :2] for s in raw)])
    hit = np.concatenate([np.zeros(0, dtype=bool), *hits])
    objects = np.concatenate([np.zeros(0), *(t[:, 0] for t in truth)])
    used = "temperature" if method == "auto" else method
    each = [ranked[:, 1] == k for k in range(classes)]
    return tuple(_learn(ranked[on, 0], hit[on], int((objects == k).sum()), used) for k, on in enumerate(each))


def _learn(
    logits: Float[np.ndarray, " box"], hit: Bool[np.ndarray, " box"], objects: int, method: str
) -> ScoreCorrection:
    truth: Int[np.ndarray, " box"] = hit.astype(np.int64)
    correction = recalibration.learn(recalibration.two_sided(logits[:, None]), truth, method)
    corrected = ScoreCorrection(correction=correction)
    note = f"{correction.note.replace('rows', 'boxes')}; {objects} objects"
    return corrected.model_copy(update={"threshold": _best(corrected.scores(logits), hit, objects), "note": note})


def _best(score: Float[np.ndarray, " box"], hit: Bool[np.ndarray, " box"], objects: int) -> float:
    """The score with the best F1, half-way to the next lower one; 0.5 where no box finds an object."""
    if not hit.any():
        return 0.5
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    f1 = 2 * np.cumsum(hit[order]) / (np.arange(len(order)) + 1 + objects)
    # Boxes of one score are taken together: only the last of them is a place to stop.
    f1[:-1][falling[:-1] == falling[1:]] = -1.0
    best = int(f1.argmax())
    below = falling[best + 1] if best + 1 < len(falling) else expit(-30.0)
    return float((falling[best] + below) / 2)
