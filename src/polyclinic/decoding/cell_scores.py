"""How sure it is that a drawn cell is one: a small logistic model of what the maps say within it. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import expit, logit

from polyclinic.decoding.watershed import highest, relative_distance, tell_apart

_RIDGE = 1.0  # keeps the slopes finite where all cells are right; a round number
_STEPS = 50  # of Newton's method at most; a round number
_EDGE = 0.01  # keeps the log odds of a chance finite


@dataclass(frozen=True)
class Maps:
    """What a model says about one picture, from 0 to 1; or the cells themselves.

    Attributes:
        foreground: Chance that a point belongs to a cell.
        height: How near it is to the middle of one.
        labels: Cells that are told apart already; then the maps are not used.
    """

    foreground: Float[np.ndarray, "row column"]
    height: Float[np.ndarray, "row column"]
    labels: Int[np.ndarray, "row column"] | None = None


def features_of(labels: Int[np.ndarray, "row column"], maps: Maps) -> Float[np.ndarray, "cell 3"]:
    """Of every cell a one, the mean chance of its points (as log odds), and its highest point."""
    one = np.ones(int(labels.max(initial=0)))
    if maps.labels is not None:
        return np.stack([one, 0 * one, 0 * one], axis=1)
    chance = _mean(maps.foreground, labels).clip(_EDGE, 1 - _EDGE)
    return np.stack([one, logit(chance), highest(maps.height, labels)], axis=1)


def _mean(values: Float[np.ndarray, "row column"], labels: Int[np.ndarray, "row column"]) -> Float[np.ndarray, " cell"]:
    """Mean value of each cell; every number from 1 on is in use."""
    flat = labels.ravel()
    mean: Float[np.ndarray, " cell"] = np.bincount(flat, values.ravel())[1:] / np.bincount(flat)[1:]
    return mean


def learn_scores(
    features: Float[np.ndarray, "cell 3"], matches: Bool[np.ndarray, " cell"]
) -> tuple[float, float, float]:
    """Weights by which features give the chance that a cell matches a true one; a ridge holds them near 0.

    Source: Newton's method for logistic regression, McCullagh P, Nelder JA. Generalized Linear Models, 1989, ch. 4.
    """
    if not len(features):
        return 0.0, 0.0, 0.0
    pull = _RIDGE * np.diag([0.0, 1.0, 1.0]) + 1e-6 * np.eye(3)
    centre = features.mean(axis=0) * np.array([0.0, 1.0, 1.0])
    shifted, weights = features - centre, np.zeros(3)
    # One match and one miss beside the real ones: the chance stays between 0 and 1 when all cells match.
    design = np.concatenate([shifted, np.eye(3)[[0, 0]]])
    goal = np.concatenate([matches.astype(np.float64), [0.0, 1.0]])
    for _ in range(_STEPS):
        chance = expit(design @ weights)
        slope = design.T @ (goal - chance) - pull @ weights
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + pull
        step = np.linalg.solve(bend, slope)
        weights = weights + step.clip(-2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0] - weights[1:] @ centre[1:]), float(weights[1]), float(weights[2])


def scores_of(features: Float[np.ndarray, "cell 3"], weights: tuple[float, float, float]) -> Float[np.ndarray, " cell"]:
    """The chance that each cell is one."""
    return np.asarray(expit(features @ np.array(weights)), dtype=np.float32)


def vote(
    answers: Sequence[tuple[Int[np.ndarray, "row column"], Shaped[np.ndarray, " _"]]],
) -> tuple[Int[np.ndarray, "row column"], Float[np.ndarray, " cell"]]:
    """Cells on which several models agree, from their cells and scores.

    A point belongs to a cell where most say so; middles are where the models' own cells have theirs, on average. The
    score of a cell is the mean score of its points over all models, 0 where a model sees none.
    """
    foreground = np.mean([labels > 0 for labels, _ in answers], axis=0)
    height = np.mean([relative_distance(labels) for labels, _ in answers], axis=0)
    agreed = tell_apart(foreground, height, 0.5, 0.5 * float(height.max(initial=0.0)), 1)
    sure = np.mean([np.append(0.0, scores)[labels] for labels, scores in answers], axis=0)
    return agreed, _mean(sure, agreed).astype(np.float32)
