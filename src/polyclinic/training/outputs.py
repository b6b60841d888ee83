"""What a network says about given rows, in steps that fit into memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped

from polyclinic.cohort.rows import Rows
from polyclinic.heads.base import Gatherer, global_questions, objects
from polyclinic.inputs.base import LocatedPrepared
from polyclinic.layers.maps.mirrors import backwards
from polyclinic.model import Answers, Model
from polyclinic.training.batches.order import count_steps
from polyclinic.training.devices.precision import PLAIN, Precision
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import hints_of

_WHOLE_RECORDS = 8
"""Rows whose scans are looked at whole at once: more would not fit beside the windows. A round number."""


@dataclass(frozen=True)
class Outputs:
    """What a network says about some rows, before calibration.

    Attributes:
        rows: Positions in the cohort.
        by_target: What each head put out, by the user's target names: "sample member out", or for a dense question one
            object per row, None where the record is absent.
        summary: The fused summary, averaged over members: how the network sees the patient.
    """

    rows: Int[np.ndarray, " sample"]
    by_target: Mapping[str, Shaped[np.ndarray, "sample ..."]]
    summary: Float[np.ndarray, "sample width"]


def evaluate(
    model: Model,
    ready: Ready,
    rows: Rows,
    precision: Precision = PLAIN,
    *,
    steady: bool = True,
    mirrored: bool = True,
) -> Outputs:
    """Run a network over ``rows``.

    Args:
        model: The network, already on the device of ``precision``.
        ready: Inputs and outcomes of all rows.
        rows: Whom to answer for.
        precision: Where and how to compute; answers that count are computed in single precision.
        steady: Fill the last step up to the size of the others and cut it again, so that a patient's answer does
            not depend on who else is asked about: kernels may add up in another order at another batch size.
        mirrored: Whether dense questions are asked about mirrored windows too, where input and question allow it.
    """
    if ready.places:
        return _through_windows(model, ready, rows, precision, mirrored)
    size = step_rows(model)
    steps = [_run(model, ready, part, size if steady else 0, precision) for part in _parts(rows.index, size)]
    by_target = {name: np.concatenate([step.by_target[name] for step in steps]) for name in ready.questions}
    return Outputs(rows.index, by_target, np.concatenate([step.summary for step in steps]))


def step_rows(model: Model) -> int:
    """How many rows are looked at together."""
    return hints_of(model).answered


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
    asked = global_questions(ready.questions)
    by_target = {name: _array(answers.outputs[name], len(part)) for name in asked}
    return Outputs(part, by_target, _array(answers.fused.summary, len(part)).mean(axis=1))


def _array(tensor: torch.Tensor, rows: int) -> Float[np.ndarray, "rows ..."]:
    return tensor[:rows].float().cpu().numpy()


def _through_windows(model: Model, ready: Ready, rows: Rows, precision: Precision, mirrored: bool) -> Outputs:
    """Row by row, each record through overlapping windows; other questions of the study see the records whole."""
    looked = [_look_through(model, ready, int(row), precision, mirrored) for row in rows.index]
    dense = {n: objects([one.raws[n] for one in looked]) for g in ready.places for n in ready.dense(g)}
    summary = np.stack([one.summary for one in looked]) if looked else np.zeros((0, 0), dtype=np.float32)
    if len(dense) == len(ready.questions):
        return Outputs(rows.index, dense, summary)
    steps = [_run(model, ready, part, _WHOLE_RECORDS, precision) for part in _parts(rows.index, _WHOLE_RECORDS)]
    plain = {n: np.concatenate([step.by_target[n] for step in steps]) for n in ready.questions if n not in dense}
    return Outputs(rows.index, dense | plain, summary)


@dataclass(frozen=True)
class _Looked:
    """One row: what each dense head says, and the summary, averaged over the windows."""

    raws: Mapping[str, Any]
    summary: Float[np.ndarray, " width"]


def _look_through(model: Model, ready: Ready, row: int, precision: Precision, mirrored: bool) -> _Looked:
    raws: dict[str, Any] = {}
    summaries: list[Float[np.ndarray, "window width"]] = []
    for ground, prepared in ready.grounds.items():
        place = ready.places[ground][row]
        heads = ready.dense(ground)
        gatherers = {} if place is None else {name: head.gatherer(place) for name, head in heads.items()}
        if gatherers:
            looks = ((), *prepared.mirrors()) if mirrored else ((),)
            summaries += _gather(model, ready, row, ground, prepared, looks, gatherers, precision)
        raws |= {name: gatherers[name].close() if gatherers else None for name in heads}
    if summaries:
        return _Looked(raws, np.concatenate(summaries).mean(axis=0))
    return _Looked(raws, _run(model, ready, np.array([row]), 0, precision).summary[0])


@torch.no_grad()
def _gather(
    model: Model,
    ready: Ready,
    row: int,
    ground: str,
    prepared: LocatedPrepared,
    looks: Sequence[tuple[int, ...]],
    gatherers: Mapping[str, Gatherer],
    precision: Precision,
) -> list[Float[np.ndarray, "window width"]]:
    """Show every window of a row to the network and its answers to the gatherers; the summaries of the windows.

    Each window is looked at as it is and then, for the questions that can be turned back, mirrored along some axes.
    Summaries are those of the windows as they are: by them a patient is held against others.
    """
    was_training = model.training
    model.eval()
    summaries = []
    safe = {name: gatherers[name] for name, head in ready.dense(ground).items() if head.mirror_safe}
    for tensors, movement in prepared.windows(row):
        count = len(tensors.present)
        repeated = np.repeat(row, count)
        others = {name: one.collate(repeated) for name, one in ready.prepared.items() if name != ground}
        for axes in looks if safe else looks[:1]:
            shown = prepared.mirrored(tensors, axes) if axes else tensors
            seen = {name: precision.move(others.get(name, shown)) for name in ready.inputs}
            with precision.casting():
                answers: Answers = model(seen)
            for name, gatherer in (safe if axes else gatherers).items():
                gatherer.add(backwards(answers.outputs[name].float().cpu(), axes), movement)
            if not axes:
                summaries.append(_array(answers.fused.summary, count).mean(axis=1))
    model.train(was_training)
    return summaries
