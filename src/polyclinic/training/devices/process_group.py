"""The processes that share the work of one fit. Usually there is one, and then nothing here does anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, distributed, nn

from polyclinic.errors import Finding, StudyError


@dataclass(frozen=True)
class ProcessGroup:
    """One process among those that share each batch.

    Attributes:
        rank: Which one this is, from 0; the first one writes files.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def share(self, batch: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " slice"]:
        """The rows of a batch that this process computes."""
        return batch[self.rank :: self.size]

    def sum_gradients(self, weights: Sequence[Tensor]) -> None:
        """Add up the gradients of all processes."""
        if self.size > 1:
            # A weight that one process did not use may have been used by another.
            self._add_up([_slope(weight) for weight in weights])

    def average_statistics(self, model: nn.Module) -> None:
        """Make batch statistics the same in all processes: their average."""
        if self.size > 1:
            buffers = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
            self._add_up(buffers, 1 / self.size)

    def total(self, value: Tensor) -> Tensor:
        """The sum of a number over all processes."""
        if self.size > 1:
            value = value.clone()
            distributed.all_reduce(value)
        return value

    def agree(self, stop: bool) -> bool:
        """Whether any process wants to stop: all then stop at the same step."""
        return stop if self.size == 1 else bool(self.total(torch.tensor(float(stop))) > 0)

    def follow(self, number: int) -> int:
        """The first process's number, in all processes."""
        return number if self.size == 1 else round(float(self.total(torch.tensor(float(number * self.leads)))))

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            distributed.barrier()

    @staticmethod
    @torch.no_grad()
    def _add_up(values: list[Tensor], factor: float = 1.0) -> None:
        if not values:
            return
        flat = torch.cat([value.reshape(-1) for value in values])
        distributed.all_reduce(flat)
        parts = torch.split(flat.mul_(factor), [value.numel() for value in values])
        for value, part in zip(values, parts, strict=True):
            value.copy_(part.view_as(value))


ALONE = ProcessGroup()


def _slope(weight: Tensor) -> Tensor:
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad


def check_processes(processes: int, smallest_batch: int) -> None:
    """Refuse more processes than a batch can feed: each needs two rows at every step.

    Raises:
        StudyError: if a process would get fewer.
    """
    if processes > 1 and smallest_batch < 2 * processes:
        raise StudyError(
            Finding(
                name="too_many_processes",
                place="study.toml [training] processes",
                rule="every process needs at least two rows of each batch",
                found=f"{processes} processes would share batches of {smallest_batch} rows",
                remedy="Use fewer processes or larger batches.",
            )
        )
