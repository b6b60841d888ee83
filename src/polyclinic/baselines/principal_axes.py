"""Columns turned to their principal axes: as many as rows or columns, whichever are fewer, and none in another's way.

A squared penalty does not know in which directions columns point, so the model with the least loss and penalty on
principal axes is the same as on the columns, turned. With 20,000 genes of 70 patients it has 70 weights to find, not
20,000, and they are found in few steps.

Source: Hastie T, Tibshirani R. Biostatistics 2004;5:329-340.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from polyclinic.baselines.design import Matrix
from polyclinic.baselines.least_loss import Weights

_MOST_AXES = 2000  # a few seconds to find them, which grows with the third power; a round number
_MOST_CELLS = 20_000_000  # of rows and axes: 160 MB; a round number
_NOTHING = 1e-10  # share of the largest axis below which one is rounding


@dataclass(frozen=True)
class PrincipalAxes:
    """Rows on their principal axes.

    Attributes:
        scores: Where each row stands on each axis.
        columns: The rows as they were.
        centre: What was subtracted from each column.
        turn: From weights of axes to weights of columns or, where there are more columns than rows, to shares of rows
            from which weights of columns are made: 20,000 columns times 2,000 axes would not fit in memory.
    """

    scores: Float[np.ndarray, "row axis"]
    columns: Matrix
    centre: Float[np.ndarray, " column"]
    turn: Float[np.ndarray, "column_or_row axis"]

    @classmethod
    def of(cls, columns: Matrix) -> "PrincipalAxes":
        """Turn columns, centred, to their principal axes."""
        rows, width = columns.shape
        centre = np.asarray(columns.mean(axis=0)).reshape(-1)
        if width <= rows:
            square, turn = _axes(_dense(columns.T @ columns) - rows * np.outer(centre, centre))
            return cls(np.asarray(columns @ turn) - centre @ turn, columns, centre, turn)
        shift = columns @ centre
        square, left = _axes(_dense(columns @ columns.T) - shift[:, None] - shift[None, :] + centre @ centre)
        size = np.sqrt(square)
        return cls(left * size, columns, centre, left / size)

    def back(self, weights: Float[np.ndarray, "axis_and_offset out"]) -> Weights:
        """Weights of axes as weights of columns; both models say the same."""
        turned = self.turn @ weights[:-1]
        if self.columns.shape[1] > self.columns.shape[0]:
            turned = self.columns.T @ turned - np.outer(self.centre, turned.sum(axis=0))
        return np.vstack([turned, weights[-1] - self.centre @ turned])


def turns(columns: Matrix) -> bool:
    """Whether finding the principal axes costs less than it saves."""
    axes = min(columns.shape)
    return bool(0 < axes <= _MOST_AXES and axes * columns.shape[0] <= _MOST_CELLS)


def _axes(
    products: Float[np.ndarray, "side side"],
) -> tuple[Float[np.ndarray, " axis"], Float[np.ndarray, "side axis"]]:
    """Squared length and direction of each axis that is more than rounding, the longest first."""
    square, direction = np.linalg.eigh(products)
    kept = square > _NOTHING * max(square[-1], 0.0)
    return square[kept][::-1], direction[:, kept][:, ::-1]


def _dense(matrix: np.ndarray | sparse.sparray) -> Float[np.ndarray, "side side"]:
    return np.asarray(matrix.toarray() if isinstance(matrix, sparse.sparray) else matrix)
