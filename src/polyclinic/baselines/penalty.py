"""How strongly the weights of a linear model are pulled towards zero: chosen by cross-validation in training rows.

Tune rows choose nothing here, so what is learned from them afterwards, such as a correction, is learned honestly.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from polyclinic.baselines.design import Matrix
from polyclinic.baselines.least_loss import LinearProblem
from polyclinic.baselines.principal_axes import PrincipalAxes
from polyclinic.heads.base import Global

USUAL_INVERSE = 1.0
"""scikit-learn's own, where too few patients are there to choose by."""
_FEW_PATIENTS = 10  # with fewer every choice is chance; a round number
_FOLDS = 5  # as scikit-learn's LogisticRegressionCV has
_MOST_ROWS = 5_000  # among which penalties are tried: with more the penalty hardly matters; a round number
_MANY_COLUMNS = 1_500  # above which fewer rows have to do; a round number
_MOST_WIDE_ROWS = 2_000  # which bounds the axes that have to be found; a round number
_STRONGEST, _WEAKEST = 10.0, 1e-6
"""Penalties tried, in squared lengths of the longest principal axis: at ten of them the model hardly says more than
the mean, at a millionth an axis counts in full that is a hundredth as long as the longest."""
_PENALTIES = 14  # a factor of 3.5 apart: a step that changes the loss by less than its noise
_RISES = 3  # penalties in a row that do worse than the best before the search ends: a factor of 41


def choose_inverse(
    head: Global,
    target: Any,
    columns: Matrix,
    index: Int[np.ndarray, " row"],
    patients: Shaped[np.ndarray, " all"],
    outputs: int,
    seed: int,
) -> float:
    """scikit-learn's C (the inverse of the penalty) with the least loss over five folds, by patient.

    It is the minimum, not the strongest penalty within one standard error of it. The penalty as a whole, not for each
    row, is carried over to all rows, as scikit-learn does.

    Args:
        head: The fitted kind of question.
        target: Its outcomes, all rows.
        columns: What the model sees of the training rows.
        index: Which rows these are.
        patients: Whose every row of the cohort is.
        outputs: How many numbers the head takes.
        seed: Deals the patients to folds and, where rows are many, chooses among them.
    """
    rng = np.random.default_rng(np.random.SeedSequence((seed, 0x70656E61)))  # "pena": a stream of its own
    chosen = _some(patients[index], np.flatnonzero(target.known[index]), columns.shape[1], rng)
    whose = patients[index[chosen]]
    if len(np.unique(whose)) < _FEW_PATIENTS or not columns.shape[1]:
        return USUAL_INVERSE
    axes = PrincipalAxes.of(columns[chosen]).scores
    # Strata of these rows alone: those of a survival question come from times, which test rows must not move.
    fold = _deal(whose, np.asarray(target.take(index[chosen]).strata()), rng)
    whole = LinearProblem(head, axes, head.collate(target, index[chosen]), outputs)
    parts = [
        replace(whole, columns=axes[fold != number], truth=head.collate(target, index[chosen[fold != number]]))
        for number in range(_FOLDS)
    ]
    return _least(whole, parts, _inverses(axes))


def _least(whole: LinearProblem, parts: list[LinearProblem], inverses: Float[np.ndarray, " penalty"]) -> float:
    """Try penalties from strong to weak, each from where the last one ended.

    What a fold that was left out loses is the loss of all rows less that of the others, which is the same where rows
    stand by themselves and also serves Cox's model, where they are compared with each other.
    Source: Verweij PJM, van Houwelingen HC. Statistics in Medicine 1993;12:2305-2314.
    """
    weights = [part.nothing() for part in parts]
    best, lowest, rises = USUAL_INVERSE, np.inf, 0
    for inverse in inverses:
        weights = [part.minimise(inverse, start, exact=False) for part, start in zip(parts, weights, strict=True)]
        lost = sum(whole.total(found) - part.total(found) for part, found in zip(parts, weights, strict=True))
        rises += 1
        if lost < lowest:
            best, lowest, rises = float(inverse), lost, 0
        if rises == _RISES:
            break
    return best


def _inverses(axes: Float[np.ndarray, "row axis"]) -> Float[np.ndarray, " penalty"]:
    """Inverse penalties, from the strongest to the weakest, on the scale of the data."""
    longest = max(float((axes**2).sum(axis=0).max(initial=0.0)), 1e-12)
    return 1.0 / (longest * np.geomspace(_STRONGEST, _WEAKEST, _PENALTIES))


def _some(
    patients: Shaped[np.ndarray, " row"], known: Int[np.ndarray, " known"], width: int, rng: np.random.Generator
) -> Int[np.ndarray, " chosen"]:
    """Rows with a known outcome; where they are many, all those of as many patients as there is room for."""
    room = _MOST_ROWS if width <= _MANY_COLUMNS else _MOST_WIDE_ROWS
    if len(known) <= room:
        return known
    number = np.unique(patients[known], return_inverse=True)[1].reshape(-1)
    place = rng.permutation(number.max() + 1)[number]
    order = np.argsort(place, kind="stable")
    return np.sort(known[order[:room]])


def _deal(
    patients: Shaped[np.ndarray, " row"], strata: Int[np.ndarray, " row"], rng: np.random.Generator
) -> Int[np.ndarray, " row"]:
    """A fold for each row: whole patients, those of each stratum spread evenly over the folds."""
    number = np.unique(patients, return_inverse=True)[1].reshape(-1)
    stratum = np.full(number.max() + 1, np.iinfo(np.int64).min)
    np.maximum.at(stratum, number, strata)
    order = np.lexsort((rng.permutation(len(stratum)), stratum))
    fold = np.empty(len(stratum), dtype=np.int64)
    fold[order] = np.arange(len(stratum)) % _FOLDS
    return fold[number]
