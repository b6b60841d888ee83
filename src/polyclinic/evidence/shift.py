"""How far from home: the distance of a patient's summary from those of the training patients."""

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict

_COMPONENTS = 16
_QUANTILE = 0.99


class ShiftReference(BaseModel):
    """Where the training patients lie, as the model sees them; small, and no patient can be read off it.

    Attributes:
        mean: Centre of the training summaries.
        components: Main directions in which they differ.
        spread: Standard deviation along each.
        residual: Standard deviation of what the directions leave.
        scale: Distance that 99 of 100 tune patients stay below.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]
    spread: tuple[float, ...]
    residual: float
    scale: float


def learn_shift(train: Float[np.ndarray, "sample width"], tune: Float[np.ndarray, "other width"]) -> ShiftReference:
    """The reference from summaries of training rows; its scale from tune rows, which the model has not seen.

    Source: Mahalanobis distance on features after Lee, Lee, Lee & Shin, NeurIPS 2018, eq. 2, with one Gaussian for
    all classes and the covariance cut to its main directions.
    """
    centred = train.astype(np.float64) - train.mean(axis=0, dtype=np.float64)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    kept = min(_COMPONENTS, max(len(train) - 1, 1), len(singular))
    # Each standard deviation has a floor, or a direction that never varied would make every new patient strange.
    floor = 1e-3 * max(float(singular[0]), 1e-9) / np.sqrt(len(train))
    left = centred - centred @ directions[:kept].T @ directions[:kept]
    reference = ShiftReference(
        mean=tuple(train.mean(axis=0, dtype=np.float64).tolist()),
        components=tuple(tuple(row) for row in directions[:kept].tolist()),
        spread=tuple(np.maximum(singular[:kept] / np.sqrt(len(train)), floor).tolist()),
        residual=max(float(np.sqrt((left**2).sum(axis=1).mean())), floor),
        scale=1.0,
    )
    known = shift_score(reference, tune if len(tune) else train)
    return reference.model_copy(update={"scale": max(float(np.quantile(known, _QUANTILE)), 1e-9)})


def shift_score(
    reference: ShiftReference, summaries: Float[np.ndarray, "sample width"]
) -> Float[np.ndarray, " sample"]:
    """Distance of each patient from the training patients; above 1 is farther than 99 of 100 tune patients."""
    centred = summaries.astype(np.float64) - np.asarray(reference.mean)
    directions = np.asarray(reference.components)
    along = centred @ directions.T
    left = centred - along @ directions
    distance = np.sqrt(
        ((along / np.asarray(reference.spread)) ** 2).sum(axis=1) + (left**2).sum(axis=1) / reference.residual**2
    )
    return np.asarray(distance / reference.scale)
