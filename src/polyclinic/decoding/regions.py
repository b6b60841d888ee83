"""From probabilities to regions, point by point."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

CERTAIN = 255
"""A probability of 1 as it is packed."""


def decide(
    probability: UInt8[np.ndarray, "region ..."], thresholds: Float[np.ndarray, " region"], *, exclusive: bool
) -> Bool[np.ndarray, "region ..."]:
    """Which points belong to which region.

    Args:
        probability: 255 = certain.
        thresholds: From which probability on, by region; not used where ``exclusive``.
        exclusive: Whether the likeliest of the regions and none of them is the answer; none wins a draw.
    """
    if not exclusive:
        least = np.ceil(np.asarray(thresholds) * CERTAIN - 1e-9).reshape(-1, *[1] * (probability.ndim - 1))
        return np.asarray(probability >= least)
    decided = np.zeros(probability.shape, dtype=bool)
    highest = probability.max(axis=0)
    # Not an argmax: its 8 bytes a point are too many for a whole scan.
    free = highest > CERTAIN - probability.sum(axis=0, dtype=np.int16)
    for region in range(len(probability)):
        decided[region] = free & (probability[region] == highest)
        free &= ~decided[region]
    return decided
