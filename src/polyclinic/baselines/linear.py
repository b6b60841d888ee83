"""The plain linear model of every question: logistic regression, ridge regression, Cox's model.

One model serves them all, for they differ in the loss only, and every head knows its own: a weighted sum of the
features per output, under a squared penalty that is chosen by cross-validation, taken to the minimum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from polyclinic.baselines.design import Design
from polyclinic.baselines.least_loss import LinearProblem, Weights, apply
from polyclinic.baselines.penalty import choose_inverse
from polyclinic.baselines.principal_axes import PrincipalAxes, turns
from polyclinic.cohort.rows import TrainRows
from polyclinic.heads.base import Global
from polyclinic.records.base import Features


@dataclass(frozen=True)
class Linear:
    """A fitted linear model.

    Attributes:
        design: How features become columns.
        weights: One row per column, and the offset last.
    """

    design: Design
    weights: Weights

    def outputs(self, features: Features, rows: Any) -> Float[np.ndarray, "row 1 out"]:
        """What the model puts out for some rows, as a head takes it."""
        return apply(self.design.columns(features, rows.index), self.weights)[:, None, :]


def fit_linear(
    head: Global,
    target: Any,
    features: Features,
    train: TrainRows,
    patients: Shaped[np.ndarray, " all"],
    outputs: int,
    seed: int,
) -> Linear:
    """The linear model with the least loss and penalty on the training rows, the penalty chosen among them.

    Args:
        head: The fitted kind of question.
        target: Its outcomes, all rows.
        features: Plain features, all rows.
        train: Which rows train.
        patients: Whose every row is.
        outputs: How many numbers the head takes.
        seed: Deals patients to the folds that choose.
    """
    design = Design.learn(features, train)
    columns = design.columns(features, train.index)
    inverse = choose_inverse(head, target, columns, train.index, patients, outputs, seed)
    problem = LinearProblem(head, columns, head.collate(target, train.index), outputs)
    return Linear(design, least_loss(problem, inverse))


def least_loss(problem: LinearProblem, inverse: float) -> Weights:
    """The weights with the least loss at one penalty, on principal axes where that is quicker."""
    if not turns(problem.columns):
        return problem.minimise(inverse, problem.nothing())
    axes = PrincipalAxes.of(problem.columns)
    turned = problem.on(axes.scores)
    return axes.back(turned.minimise(inverse, turned.nothing()))
