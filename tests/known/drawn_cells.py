"""Pictures of drawn cells: ellipses in known places, the second picture a shaken copy of the first."""

import numpy as np


def ellipses(shape, places):
    """Cells numbered from 1; a place is centre row, centre column, half length, half width, angle."""
    rows, columns = np.indices(shape)
    labels = np.zeros(shape, dtype=np.int32)
    for number, (row, column, long, short, angle) in enumerate(places, 1):
        y, x = rows - row, columns - column
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        labels[((along / long) ** 2 + (across / short) ** 2 <= 1) & (labels == 0)] = number
    return labels


def pictures(seed, cells=12, shape=(96, 120), shake=2.0):
    """True cells, and the same with centres and lengths shaken, some left out and others made up."""
    rng = np.random.default_rng(seed)
    places = np.stack(
        [
            rng.uniform(0, shape[0], cells),
            rng.uniform(0, shape[1], cells),
            rng.uniform(4, 12, cells),
            rng.uniform(3, 8, cells),
            rng.uniform(0, np.pi, cells),
        ],
        axis=1,
    )
    shaken = places + rng.normal(size=places.shape) * np.array([shake, shake, shake / 2, shake / 2, 0.2])
    shaken[:, 2:4] = np.maximum(shaken[:, 2:4], 2.0)
    shaken = np.concatenate(
        [shaken[rng.random(cells) < 0.85], places[:2] + 20 * rng.normal(size=(2, 5)) * [1, 1, 0, 0, 0]]
    )
    return ellipses(shape, places), ellipses(shape, shaken)
