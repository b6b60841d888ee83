"""What a network says about given rows, in steps that fit into memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped

from polyclinic.cohort.rows import Rows
from polyclinic.heads.base import Gatherer, dense_questions, global_questions, objects
from polyclinic.layers.maps.mirrors import backwards
from polyclinic.model import Answers, Model
from polyclinic.tensors import InputTensors
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


@torch.no_grad()
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
    evaluation = _Evaluation(model, ready, precision)
    was_training = model.training
    model.eval()
    if ready.places:
        outputs = evaluation.through_windows(rows.index, mirrored)
    else:
        size = step_rows(model)
        outputs = evaluation.in_steps(rows.index, size, size if steady else 0)
    model.train(was_training)
    return outputs


def step_rows(model: Model) -> int:
    """How many rows are looked at together."""
    return hints_of(model).answered


@dataclass(frozen=True)
class _Evaluation:
    """A network at work on records."""

    model: Model
    ready: Ready
    precision: Precision

    def in_steps(self, index: Int[np.ndarray, " row"], size: int, fill: int) -> Outputs:
        """What is asked of records whole, so many at a time; the last step is filled up to ``fill`` rows."""
        parts = [index[i * size : (i + 1) * size] for i in range(count_steps(len(index), size))]
        steps = [self._whole(part, fill) for part in parts]
        asked = global_questions(self.ready.questions)
        by_target = {name: np.concatenate([step.by_target[name] for step in steps]) for name in asked}
        return Outputs(index, by_target, np.concatenate([step.summary for step in steps]))

    def _whole(self, part: Int[np.ndarray, " part"], fill: int) -> Outputs:
        filled = np.concatenate([part, np.repeat(part[-1:], max(0, fill - len(part)))])
        answers = self._ask(self.ready.see(filled))
        asked = global_questions(self.ready.questions)
        by_target = {name: _array(answers.outputs[name], len(part)) for name in asked}
        return Outputs(part, by_target, _array(answers.fused.summary, len(part)).mean(axis=1))

    def through_windows(self, index: Int[np.ndarray, " row"], mirrored: bool) -> Outputs:
        """Row by row, each record through overlapping windows; other questions of the study see the records whole."""
        looked = [self._look_through(int(row), mirrored) for row in index]
        asked = dense_questions(self.ready.questions)
        dense = {name: objects([raws[name] for raws, _ in looked]) for name in asked}
        summary = np.stack([one for _, one in looked]) if looked else np.zeros((0, 0), dtype=np.float32)
        if len(dense) == len(self.ready.questions):
            return Outputs(index, dense, summary)
        whole = self.in_steps(index, _WHOLE_RECORDS, _WHOLE_RECORDS)
        return Outputs(index, {**dense, **whole.by_target}, summary)

    def _look_through(self, row: int, mirrored: bool) -> tuple[dict[str, Any], Float[np.ndarray, " width"]]:
        """One row: what each dense head says, and the summary, averaged over the windows."""
        raws: dict[str, Any] = {}
        summaries: list[Float[np.ndarray, "window width"]] = []
        for ground, prepared in self.ready.grounds.items():
            place = self.ready.places[ground][row]
            heads = self.ready.dense(ground)
            gatherers = {} if place is None else {name: head.gatherer(place) for name, head in heads.items()}
            if gatherers:
                looks = ((), *prepared.mirrors()) if mirrored else ((),)
                summaries += self._gather(row, ground, looks, gatherers)
            raws |= {name: gatherers[name].close() if gatherers else None for name in heads}
        whole = np.concatenate(summaries).mean(axis=0) if summaries else self._whole(np.array([row]), 0).summary[0]
        return raws, whole

    def _gather(
        self, row: int, ground: str, looks: Sequence[tuple[int, ...]], gatherers: Mapping[str, Gatherer]
    ) -> list[Float[np.ndarray, "window width"]]:
        """Show every window of a row to the network and its answers to the gatherers; the summaries of the windows.

        Each window is looked at as it is and then, for the questions that can be turned back, mirrored along some
        axes. Summaries are those of the windows as they are: by them a patient is held against others.
        """
        ready, prepared = self.ready, self.ready.grounds[ground]
        summaries = []
        safe = {name: gatherers[name] for name, head in ready.dense(ground).items() if head.mirror_safe}
        for tensors, movement in prepared.windows(row):
            count = len(tensors.present)
            repeated = np.repeat(row, count)
            others = {name: one.collate(repeated) for name, one in ready.prepared.items() if name != ground}
            for axes in looks if safe else looks[:1]:
                view = prepared.mirrored(tensors, axes) if axes else tensors
                answers = self._ask({name: others.get(name, view) for name in ready.inputs})
                for name, gatherer in (safe if axes else gatherers).items():
                    gatherer.add(backwards(answers.outputs[name].float().cpu(), axes), movement)
                if not axes:
                    summaries.append(_array(answers.fused.summary, count).mean(axis=1))
        return summaries

    def _ask(self, inputs: Mapping[str, InputTensors]) -> Answers:
        moved = {name: self.precision.move(tensors) for name, tensors in inputs.items()}
        with self.precision.casting():
            answers: Answers = self.model(moved)
        return answers


def _array(tensor: torch.Tensor, rows: int) -> Float[np.ndarray, "rows ..."]:
    return tensor[:rows].float().cpu().numpy()
