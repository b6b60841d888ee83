"""The plain linear model of every question: logistic regression, ridge regression, Cox's model.

One model serves them all, for they differ in the loss only, and every head knows its own: a weighted sum of the
features per output, under a squared penalty, taken to the minimum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize

from polyclinic.baselines.design import Design, Matrix
from polyclinic.cohort.rows import Inner
from polyclinic.heads.base import Global
from polyclinic.records.base import Features
from polyclinic.tensors import TargetTensors

# Penalties as in scikit-learn: the inverse of C, shared among the rows.
_INVERSE_PENALTIES = (0.003, 0.03, 0.3, 3.0)  # a factor of ten apart
_PLAIN_INVERSE_PENALTY = 1.0  # scikit-learn's own
_MANY_ROWS = 20_000  # with more no penalty is chosen: trying takes long; a round number
_FEW_TUNE_ROWS = 20  # fewer say too little about the penalty; a round number
_STEPS = 500  # of the optimiser at most; a round number

Weights = Float[np.ndarray, "column_and_offset out"]


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
        return _apply(self.design.columns(features, rows.index), self.weights)[:, None, :]


def fit_linear(head: Global, target: Any, features: Features, rows: Inner, outputs: int) -> Linear:
    """The linear model with the least loss on the training rows.

    The penalty is chosen by the loss on the tune rows; with more than 20,000 training rows, where it matters little,
    or fewer than 20 tune rows, which say little, it is scikit-learn's usual one.

    Args:
        head: The fitted kind of question.
        target: Its outcomes, all rows.
        features: Plain features, all rows.
        rows: Which rows train and which ones choose.
        outputs: How many numbers the head takes.
    """
    design = Design.learn(features, rows.train)
    columns, truth = design.columns(features, rows.train.index), head.collate(target, rows.train.index)
    if len(rows.train) > _MANY_ROWS or len(rows.tune) < _FEW_TUNE_ROWS:
        start = np.zeros((columns.shape[1] + 1, outputs))
        return Linear(design, _minimise(head, columns, truth, _PLAIN_INVERSE_PENALTY, start))
    return Linear(design, _choose(head, target, features, rows, design, outputs))


def _choose(head: Global, target: Any, features: Features, rows: Inner, design: Design, outputs: int) -> Weights:
    """Try the penalties from strong to weak, each from where the last one ended."""
    columns, truth = design.columns(features, rows.train.index), head.collate(target, rows.train.index)
    judged, wanted = design.columns(features, rows.tune.index), head.collate(target, rows.tune.index)
    weights = np.zeros((columns.shape[1] + 1, outputs))
    best, lowest = weights, np.inf
    for inverse in _INVERSE_PENALTIES:
        weights = _minimise(head, columns, truth, inverse, weights)
        loss = _loss(head, _apply(judged, weights), wanted)[0]
        if loss < lowest:
            best, lowest = weights, loss
    return best


def _minimise(head: Global, columns: Matrix, truth: TargetTensors, inverse: float, start: Weights) -> Weights:
    arguments = (head, columns, truth, 1.0 / (inverse * columns.shape[0]), start.shape)
    options = {"maxiter": _STEPS, "gtol": 1e-6, "ftol": 1e-10}
    found = minimize(_objective, start.ravel(), args=arguments, jac=True, method="L-BFGS-B", options=options)
    weights: Weights = found.x.reshape(start.shape)
    return weights


def _objective(
    flat: Float[np.ndarray, " weight"],
    head: Global,
    columns: Matrix,
    truth: TargetTensors,
    penalty: float,
    shape: tuple[int, int],
) -> tuple[float, Float[np.ndarray, " weight"]]:
    """Loss and penalty, and their slope. The offset is not penalised."""
    weights = flat.reshape(shape)
    loss, slope = _loss(head, _apply(columns, weights), truth)
    pulled = np.vstack([weights[:-1], np.zeros((1, shape[1]))])
    gradient = np.vstack([columns.T @ slope, slope.sum(axis=0)]) + penalty * pulled
    return loss + 0.5 * penalty * float((pulled**2).sum()), gradient.ravel()


def _loss(
    head: Global, outputs: Float[np.ndarray, "row out"], truth: TargetTensors
) -> tuple[float, Float[np.ndarray, "row out"]]:
    """Mean loss, and its slope by output."""
    tensor = torch.from_numpy(outputs).requires_grad_()
    loss = head.loss(tensor[:, None, :], truth).mean()
    torch.autograd.backward(loss)
    slope = np.zeros_like(outputs) if tensor.grad is None else tensor.grad.numpy()
    return float(loss.detach()), slope


def _apply(columns: Matrix, weights: Weights) -> Float[np.ndarray, "row out"]:
    outputs: Float[np.ndarray, "row out"] = columns @ weights[:-1] + weights[-1]
    return outputs
