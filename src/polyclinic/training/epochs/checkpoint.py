"""The state of a fit on disk, so that a run may be killed at any moment and go on to the same bytes.

Two files take turns; each is written beside its place, flushed to the disk and then moved there, so one whole state is
always left. Tensors and text only: reading one runs no code.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from polyclinic.errors import BundleError, Finding, Severity
from polyclinic.formats.disk import write_file, writing_to

_NAMES = ("checkpoint-a.safetensors", "checkpoint-b.safetensors")


class Epoch(BaseModel):
    """What one pass over the training rows came to.

    Attributes:
        train_loss: Mean loss while the weights were changing, with dropout and augmentation: apparent, not final.
        tune_loss: Loss of the averaged weights on the tune rows.
        learning_rate: Rate of its last step.
        planned: Epochs of the whole fit as they were planned when it began.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    train_loss: float
    tune_loss: float
    learning_rate: float
    planned: int


class FitProgress(BaseModel):
    """The numbers of a checkpoint.

    Attributes:
        identity: Hash of everything that decides the fit; another fit's checkpoint has another one.
        planned: Epochs of the schedule, as planned last.
        best: Epoch with the lowest tune loss, from 1; 0 = none yet.
        averaged: Steps in the running average.
        spent_s: Seconds of training so far.
        ended: Why the fit is over, or "" while it is not.
        history: One entry per epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    identity: str
    planned: int
    best: int
    averaged: int
    spent_s: float
    ended: str
    history: tuple[Epoch, ...]


@dataclass(frozen=True)
class Checkpoint:
    """The whole state of a fit: its numbers, and its tensors by name."""

    record: FitProgress
    tensors: Mapping[str, Tensor]


@final
class Store:
    """The folder where the checkpoints of one fit lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._latest = folder / _NAMES[1]

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a state over the older of the two, whole or not at all.

        Raises:
            BundleError: if the disk is full or the folder cannot be written; the states before are kept.
        """
        older = self.folder / _NAMES[self._latest.name == _NAMES[0]]
        document = checkpoint.record.model_dump_json()
        description = {"record": document, "check": _checksum(document, checkpoint.tensors)}
        content = save(dict(checkpoint.tensors), metadata=description)
        with writing_to(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_file(older, content)
        self._latest = older

    def settle(self) -> None:
        """Remove the state before the latest one: the fit is over."""
        for name in _NAMES:
            if name != self._latest.name:
                (self.folder / name).unlink(missing_ok=True)

    def load(self, identity: str) -> tuple[Checkpoint | None, list[Finding]]:
        """The latest whole state and what was found damaged; None where training must start anew.

        Raises:
            BundleError: if the folder holds the state of another fit.
        """
        there = [self.folder / name for name in _NAMES if (self.folder / name).exists()]
        read = {path: _read(path) for path in there}
        findings = [_damaged(path) for path, checkpoint in read.items() if checkpoint is None]
        whole = {path: checkpoint for path, checkpoint in read.items() if checkpoint is not None}
        if any(checkpoint.record.identity != identity for checkpoint in whole.values()):
            raise BundleError(_foreign(self.folder))
        if not whole:
            return None, findings
        progress = {path: (len(one.record.history), bool(one.record.ended)) for path, one in whole.items()}
        self._latest = max(progress, key=lambda path: progress[path])
        return whole[self._latest], findings


def _checksum(document: str, tensors: Mapping[str, Tensor]) -> str:
    total = zlib.crc32(document.encode())
    for name in sorted(tensors):
        content = tensors[name].reshape(-1).view(torch.uint8).numpy().data
        total = zlib.crc32(content, zlib.crc32(name.encode(), total))
    return f"{total:08x}"


def _read(path: Path) -> Checkpoint | None:
    """The state in a file, or None where the file is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            text = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
        record = FitProgress.model_validate_json(text["record"])
    except (SafetensorError, KeyError, ValidationError, json.JSONDecodeError):
        return None
    whole = text.get("check") == _checksum(text["record"], tensors)
    return Checkpoint(record, tensors) if whole else None


def _foreign(folder: Path) -> Finding:
    return Finding(
        name="foreign_checkpoint",
        place=str(folder),
        rule="a run is resumed with the study, table, program and sort of processor that began it",
        found="the state kept here belongs to another one",
        remedy="Undo the change, or run into a new folder with --out.",
    )


def _damaged(path: Path) -> Finding:
    return Finding(
        name="damaged_checkpoint",
        place=str(path),
        rule="the state of the training must be whole to be used",
        found="this file is damaged",
        remedy="The state before it was used, or the fit began anew; the result is the same.",
        severity=Severity.NOTE,
    )
