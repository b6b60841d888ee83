"""Several processes for one fit, by torch.distributed: gloo between processors, nccl between GPUs."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import distributed
from torch.multiprocessing import get_context
from torch.multiprocessing.spawn import spawn

from polyclinic.errors import Finding, PolyclinicError
from polyclinic.training.devices.precision import Device
from polyclinic.training.devices.process_group import ProcessGroup

_PATIENCE = timedelta(minutes=30)

Result = Any
Part = Callable[..., Result]


@dataclass(frozen=True)
class _Raised:
    """An error on its way from a process to the one that started it."""

    kind: type[PolyclinicError]
    findings: tuple[Finding, ...]


def launched() -> ProcessGroup | None:
    """This process's place, if the program was started by torchrun; None if not."""
    if not distributed.is_torchelastic_launched():
        return None
    if not distributed.is_initialized():
        distributed.init_process_group(_backends(), timeout=_PATIENCE)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return ProcessGroup(distributed.get_rank(), distributed.get_world_size())


def share_out(part: Part, arguments: Sequence[Any], processes: int, device: Device) -> Result:
    """Call ``part(group, *arguments)`` in so many fresh processes; returns what the first of them returned.

    ``part`` must be a function of a module, and the arguments are copied to every process. As always where Python
    starts processes, a program of the user's own needs its ``if __name__ == "__main__"``.

    Raises:
        PolyclinicError: what ``part`` raised.
    """
    context = get_context("spawn")
    answers = context.SimpleQueue()
    with TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        spawn(  # type: ignore[no-untyped-call]
            _join, (part, tuple(arguments), processes, device, str(meeting), answers), nprocs=processes
        )
        answer = answers.get()
    if isinstance(answer, _Raised):
        raise answer.kind(answer.findings)
    return answer


def _join(
    rank: int, part: Part, arguments: tuple[Any, ...], processes: int, device: Device, meeting: str, answers: Any
) -> None:
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    if device == "cuda":
        torch.cuda.set_device(rank)
    distributed.init_process_group(
        _backends(), init_method=f"file://{meeting}", rank=rank, world_size=processes, timeout=_PATIENCE
    )
    try:
        answer = _attempt(part, ProcessGroup(rank, processes), arguments)
        if rank == 0:
            answers.put(answer)
    finally:
        distributed.destroy_process_group()


def _attempt(part: Part, group: ProcessGroup, arguments: tuple[Any, ...]) -> Any:
    try:
        return part(group, *arguments)
    except PolyclinicError as error:
        return _Raised(type(error), error.findings)


def _backends() -> str:
    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
