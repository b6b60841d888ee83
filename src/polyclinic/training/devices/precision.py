"""Where the numbers are crunched and how wide they are. Chosen by hardware and network, never by timing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from polyclinic.errors import Finding, Severity, StudyError
from polyclinic.study.schema import TrainingSection
from polyclinic.tensors import Record, changed

Device = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Precision:
    """How a fit computes.

    Attributes:
        device: "cpu", "cuda" or "mps".
        half: Whether convolutions and matrix products run in bfloat16; weights stay in single precision.
        channels_last: Whether pictures lie in memory with their channels together.
    """

    device: Device
    half: bool
    channels_last: bool

    def place(self, model: nn.Module) -> None:
        """Move a network to the device, in the memory format of choice."""
        model.to(self.device)
        if self.channels_last:
            for weights in model.parameters():
                weights.data = _channels_last(weights.data)

    def move(self, record: Record) -> Record:
        """Move the tensors of a batch likewise."""
        if self.device == "cpu" and not self.channels_last:
            return record
        return changed(record, self._move)

    def casting(self) -> torch.autocast:
        """The context in which the network runs."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.half)

    def _move(self, value: Tensor) -> Tensor:
        value = value.to(self.device, non_blocking=True)
        return _channels_last(value) if self.channels_last else value


def _channels_last(value: Tensor) -> Tensor:
    """Pictures and volumes with their channels together; anything else as it is."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return value.contiguous(memory_format=formats[value.ndim]) if value.ndim in formats else value


PLAIN = Precision("cpu", half=False, channels_last=False)


def choose_precision(model: nn.Module, settings: TrainingSection) -> tuple[Precision, list[Finding]]:
    """The device and precision that the study asks for, or the faster ones by rule.

    "auto" takes a CUDA device if there is one, else the processor; and bfloat16 with channels-last where the
    network has two-dimensional convolutions and the hardware multiplies in bfloat16 (AVX512-BF16, AMX, or a recent
    GPU). There it measured about twice as fast; on networks for tables it is slower. Group norms want their channels
    apart: a U-Net with channels-last measured half as fast.

    Raises:
        StudyError: if the device is not there.
    """
    device = _device(settings.device)
    able = _multiplies_bfloat16(device)
    pictures = any(isinstance(module, nn.Conv2d | nn.Conv3d) for module in model.modules())
    half = able and pictures if settings.precision == "auto" else settings.precision == "bf16"
    findings = [] if able or not half else [_slow()]
    apart = any(isinstance(module, nn.GroupNorm) for module in model.modules())
    together = pictures and (half or device == "cuda") and not apart
    return Precision(device, half, channels_last=together), findings


@contextmanager
def repeatable(precision: Precision) -> Iterator[None]:
    """Within it a CUDA device repeats itself, at some cost in speed; the processor always does."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    if precision.device == "cuda":
        cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def _device(wanted: Literal["auto", "cpu", "cuda", "mps"]) -> Device:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[wanted]:
        raise StudyError(
            Finding(
                name="no_device",
                place="study.toml [training] device",
                rule=f'"{wanted}" needs such a device',
                found="this machine, or its installation of torch, has none",
                remedy='Set device = "auto".',
            )
        )
    return wanted


def _multiplies_bfloat16(device: Device) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return device == "cpu" and bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def _slow() -> Finding:
    return Finding(
        name="slow_precision",
        place="study.toml [training] precision",
        rule='"bf16" is meant for hardware that multiplies in it',
        found="this hardware only imitates it, which is slower than single precision",
        remedy='Set precision = "auto".',
        severity=Severity.WARNING,
    )
