"""The weights of a linear model with the least loss under a squared penalty, for whatever loss a question has."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from scipy.optimize import minimize

from polyclinic.baselines.design import Matrix
from polyclinic.heads.base import Global
from polyclinic.tensors import TargetTensors

_STEPS = 500  # of the optimiser at most; a round number
_EXACT, _ROUGH = {"gtol": 1e-6, "ftol": 1e-10}, {"gtol": 1e-5, "ftol": 1e-8}
_CURVATURE = 0.25
"""Second derivative of the loss of a yes or no at even odds; that of other losses differs by a small factor, which
costs a few steps and changes no result."""

Weights = Float[np.ndarray, "column_and_offset out"]


@dataclass(frozen=True)
class LinearProblem:
    """Some rows that a linear model learns from, or is held against.

    Attributes:
        head: The fitted kind of question, which knows its loss.
        columns: What the model sees of each row.
        truth: What was true of them.
        outputs: How many numbers the head takes.
    """

    head: Global
    columns: Matrix
    truth: TargetTensors
    outputs: int

    def nothing(self) -> Weights:
        """Weights that say the same of every row."""
        return np.zeros((self.columns.shape[1] + 1, self.outputs))

    def on(self, columns: Matrix) -> "LinearProblem":
        """The same rows seen in other columns."""
        return replace(self, columns=columns)

    def total(self, weights: Weights) -> float:
        """The loss of all rows together."""
        return float(_loss(self.head, apply(self.columns, weights), self.truth)[0] * self.columns.shape[0])

    def minimise(self, inverse: float, start: Weights, exact: bool = True) -> Weights:
        """The weights with the least loss and penalty; the offset is not penalised.

        Weights are counted in units in which all directions are about equally steep, or the optimiser would need many
        steps where some columns vary much more than others.

        Args:
            inverse: scikit-learn's C, the inverse of the penalty shared among the rows.
            start: Where to begin.
            exact: False where only the loss is wanted, which is found to four digits in half of the steps.
        """
        penalty = 1.0 / (inverse * self.columns.shape[0])
        unit = 1.0 / np.sqrt(_CURVATURE * np.append(_squares(self.columns), 1.0) + penalty)[:, None]

        def objective(flat: Float[np.ndarray, " weight"]) -> tuple[float, Float[np.ndarray, " weight"]]:
            weights = unit * flat.reshape(start.shape)
            loss, slope = _loss(self.head, apply(self.columns, weights), self.truth)
            pulled = np.vstack([weights[:-1], np.zeros((1, self.outputs))])
            gradient = np.vstack([self.columns.T @ slope, slope.sum(axis=0)]) + penalty * pulled
            return loss + 0.5 * penalty * float((pulled**2).sum()), (unit * gradient).ravel()

        options = {"maxiter": _STEPS, **(_EXACT if exact else _ROUGH)}
        found = minimize(objective, (start / unit).ravel(), jac=True, method="L-BFGS-B", options=options)
        weights: Weights = unit * found.x.reshape(start.shape)
        return weights


def apply(columns: Matrix, weights: Weights) -> Float[np.ndarray, "row out"]:
    """What a linear model puts out for some rows."""
    outputs: Float[np.ndarray, "row out"] = columns @ weights[:-1] + weights[-1]
    return outputs


def _loss(
    head: Global, outputs: Float[np.ndarray, "row out"], truth: TargetTensors
) -> tuple[float, Float[np.ndarray, "row out"]]:
    """Mean loss, and its slope by output."""
    tensor = torch.from_numpy(outputs).requires_grad_()
    loss = head.loss(tensor[:, None, :], truth).mean()
    torch.autograd.backward(loss)
    slope = np.zeros_like(outputs) if tensor.grad is None else tensor.grad.numpy()
    return float(loss.detach()), slope


def _squares(columns: Matrix) -> Float[np.ndarray, " column"]:
    """Mean square of each column."""
    squared = columns.power(2) if isinstance(columns, sparse.csr_array) else columns**2
    return np.asarray(squared.mean(axis=0), dtype=np.float64)
