"""Random numbers that depend on the seed and on the place where they are used, and on nothing else.

An epoch's randomness follows from (seed, epoch) alone, so a run that was killed and resumed at any epoch draws what an
uninterrupted run would have drawn.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

# What a stream of random numbers is for: the first step of its path, so that no two uses share a stream.
ORDER, DROPOUT, AUGMENT, MIXUP, SAMPLING, TRIAL, PLAIN, REHEARSAL, TUNE_VIEWS = range(9)


def derive(seed: int, *path: int) -> int:
    """A new seed (below 2**32) for the place that ``path`` names."""
    return int(np.random.SeedSequence(seed, spawn_key=path).generate_state(1)[0])


def numbers(seed: int, *path: int) -> np.random.Generator:
    """A numpy generator for the place that ``path`` names."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=path))


def generator(seed: int, *path: int) -> torch.Generator:
    """A torch generator on the CPU for the place that ``path`` names."""
    return torch.Generator().manual_seed(derive(seed, *path))


@contextmanager
def dropout(device: torch.device, seed: int, *path: int) -> Iterator[None]:
    """Within it the layers that draw by themselves follow ``path``; what was drawn outside goes on undisturbed."""
    if device.type == "cuda":
        with torch.random.fork_rng(devices=[torch.cuda.current_device()]):
            torch.manual_seed(derive(seed, *path))
            yield
        return
    before = torch.default_generator.get_state()
    try:
        torch.default_generator.manual_seed(derive(seed, *path))
        yield
    finally:
        torch.default_generator.set_state(before)
