"""What a network says about given rows, in steps that fit into memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from polyclinic.cohort.rows import Rows
from polyclinic.model import Answers, Model
from polyclinic.training.batches import count_steps
from polyclinic.training.precision import PLAIN, Precision
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import has_convolutions

_ROWS_OF_TABLES = 256
_ROWS_OF_PICTURES = 64


@dataclass(frozen=True)
class Outputs:
    """What a network says about some rows, before calibration.

    Attributes:
        rows: Positions in the cohort.
        by_target: What each head put out, by the user's target names.
        summary: The fused summary, averaged over members: how the network sees the patient.
    """

    rows: Int[np.ndarray, " sample"]
    by_target: Mapping[str, Float[np.ndarray, "sample member out"]]
    summary: Float[np.ndarray, "sample width"]


def evaluate(model: Model, ready: Ready, rows: Rows, precision: Precision = PLAIN, *, steady: bool = True) -> Outputs:
    """Run a network over ``rows``.

    Args:
        model: The network, already on the device of ``precision``.
        ready: Inputs and outcomes of all rows.
        rows: Whom to answer for.
        precision: Where and how to compute; answers that count are computed in single precision.
        steady: Fill the last step up to the size of the others and cut it again, so that a patient's answer does
            not depend on who else is asked about: kernels may add up in another order at another batch size.
    """
    size = step_rows(model)
    steps = [_run(model, ready, part, size if steady else 0, precision) for part in _parts(rows.index, size)]
    by_target = {name: np.concatenate([step.by_target[name] for step in steps]) for name in ready.heads}
    return Outputs(rows.index, by_target, np.concatenate([step.summary for step in steps]))


def step_rows(model: Model) -> int:
    """How many rows are looked at together."""
    return _ROWS_OF_PICTURES if has_convolutions(model) else _ROWS_OF_TABLES


def _parts(index: Int[np.ndarray, " row"], size: int) -> list[Int[np.ndarray, " _"]]:
    return [index[i * size : (i + 1) * size] for i in range(count_steps(len(index), size))]


@torch.no_grad()
def _run(model: Model, ready: Ready, part: Int[np.ndarray, " part"], size: int, precision: Precision) -> Outputs:
    filled = np.concatenate([part, np.repeat(part[-1:], max(0, size - len(part)))])
    was_training = model.training
    if was_training:
        model.eval()
    inputs = {name: precision.move(tensors) for name, tensors in ready.see(filled).items()}
    with precision.casting():
        answers: Answers = model(inputs)
    if was_training:
        model.train()
    by_target = {name: _array(output, len(part)) for name, output in answers.outputs.items()}
    return Outputs(part, by_target, _array(answers.fused.summary, len(part)).mean(axis=1))


def _array(tensor: torch.Tensor, rows: int) -> Float[np.ndarray, "rows ..."]:
    return tensor[:rows].float().cpu().numpy()
