"""The rows of an epoch, in random order and in steps of nearly equal size."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from jaxtyping import Int

_AHEAD = 2
_POOL = 16
"""Steps among whose rows those of like length are brought together."""
_BLUR = 0.1
"""Lengths are alike within this share."""

Item = TypeVar("Item")
Made = TypeVar("Made")


def shuffle(
    drawn: Int[np.ndarray, " drawn"],
    size: int,
    rng: np.random.Generator,
    lengths: Int[np.ndarray, " drawn"] | None = None,
) -> list[Int[np.ndarray, " _"]]:
    """The drawn rows in random order, cut into as few steps as ``size`` allows, all of nearly the same size.

    33 rows in steps of 32 give 17 and 16, never a lone last row on which batch normalisation would fail.

    Args:
        drawn: Rows, some perhaps more than once.
        size: Most rows of a step.
        rng: Of the order.
        lengths: How long each drawn record is, if a step pads its records to the longest: then rows of like length are
            taken together, within pools of some steps, and the steps come in random order. Texts of a clinic leave a
            third of a step to padding otherwise. A record drawn twice does not seek its own company.
    """
    steps, order = count_steps(len(drawn), size), rng.permutation(len(drawn))
    if lengths is None or not np.ptp(lengths):
        return [drawn[part] for part in np.array_split(order, steps)]
    about = lengths * rng.uniform(1.0, 1.0 + _BLUR, len(lengths))
    pools = np.array_split(order, max(1, round(steps / _POOL)))
    alike = np.concatenate([pool[np.argsort(about[pool], kind="stable")] for pool in pools])
    parts = np.array_split(alike, steps)
    return [drawn[parts[number]] for number in rng.permutation(steps)]


def count_steps(rows: int, size: int) -> int:
    """How many steps ``rows`` take."""
    return max(1, -(-rows // size))


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """``map(make, items)``, but made in a thread that runs a little ahead. The order and the results are the same."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting: deque[Future[Made]] = deque()
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
