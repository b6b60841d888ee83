"""The rows of an epoch, in random order and in steps of nearly equal size."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from jaxtyping import Int

_AHEAD = 2

Item = TypeVar("Item")
Made = TypeVar("Made")


def shuffle(drawn: Int[np.ndarray, " drawn"], size: int, rng: np.random.Generator) -> list[Int[np.ndarray, " _"]]:
    """The drawn rows in random order, cut into as few steps as ``size`` allows, all of nearly the same size.

    33 rows in steps of 32 give 17 and 16, never a lone last row on which batch normalisation would fail.
    """
    return [np.asarray(part) for part in np.array_split(rng.permutation(drawn), count_steps(len(drawn), size))]


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
