"""What a fit learns from: records made ready and outcomes read, by the user's own names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int

from polyclinic.cohort.rows import TrainRows
from polyclinic.heads.base import Kind as Head
from polyclinic.heads.base import Target
from polyclinic.inputs.base import Kind as Input
from polyclinic.tensors import Batch, InputTensors, TargetTensors


@dataclass(frozen=True)
class Ready:
    """Inputs and outcomes of all rows, with every constant learned from the training rows of one fit.

    Attributes:
        inputs: Fitted kinds of input by the user's names.
        columns: What each input's ``prepare`` gave, all rows, by the same names.
        heads: Fitted kinds of question by the user's names.
        targets: The outcomes, all rows, by the same names.
    """

    inputs: Mapping[str, Input]
    columns: Mapping[str, Any]
    heads: Mapping[str, Head]
    targets: Mapping[str, Target]

    @classmethod
    def fit(
        cls,
        inputs: Mapping[str, Input],
        records: Mapping[str, Any],
        heads: Mapping[str, Head],
        targets: Mapping[str, Target],
        rows: TrainRows,
    ) -> Self:
        """Learn every constant from ``rows`` and make all rows ready.

        Args:
            inputs: Kinds of input, not yet fitted, by the user's names.
            records: What their ``read`` gave, all rows.
            heads: Kinds of question, not yet fitted, by the user's names.
            targets: What their ``read_target`` gave, all rows.
            rows: The training rows.
        """
        fitted = {name: kind.fit(records[name], rows) for name, kind in inputs.items()}
        columns = {name: kind.prepare(records[name]) for name, kind in fitted.items()}
        return cls(fitted, columns, {name: head.fit(targets[name], rows) for name, head in heads.items()}, targets)

    def see(self, index: Int[np.ndarray, " batch"]) -> dict[str, InputTensors]:
        """The inputs of some rows."""
        return {name: kind.collate(self.columns[name], index) for name, kind in self.inputs.items()}

    def ask(self, index: Int[np.ndarray, " batch"]) -> dict[str, TargetTensors]:
        """The outcomes of some rows."""
        return {name: head.collate(self.targets[name], index) for name, head in self.heads.items()}

    def batch(self, index: Int[np.ndarray, " batch"], generator: torch.Generator | None = None) -> Batch:
        """Some rows; with a ``generator`` the inputs are changed at random, in ways that leave the label true."""
        seen = self.see(index)
        if generator is not None:
            seen = {name: kind.augment(seen[name], generator)[0] for name, kind in self.inputs.items()}
        return Batch(seen, self.ask(index))
