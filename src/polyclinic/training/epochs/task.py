"""One fit as a piece of work: what it learns from, what it computes at each step, how it is judged."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Int

from polyclinic.cohort.rows import Inner
from polyclinic.model import Model
from polyclinic.tensors import Batch
from polyclinic.training import random_streams as chance
from polyclinic.training.batches.imbalance import Weights, draw
from polyclinic.training.batches.mixup import draw_mixture
from polyclinic.training.batches.order import ahead, shuffle
from polyclinic.training.devices.precision import Precision
from polyclinic.training.devices.process_group import ProcessGroup
from polyclinic.training.epochs.tune_history import TuneEpoch
from polyclinic.training.outputs import evaluate, step_rows
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import Recipe
from polyclinic.training.updates.step import StepWork, add_losses

_JUDGED_VIEWS = 4


@dataclass(frozen=True)
class Task:
    """Everything one fit needs.

    Attributes:
        model: The network; its weights are changed.
        ready: Inputs and outcomes of all rows.
        rows: Which rows train and which ones tune.
        recipe: Every number of the fit.
        precision: Where and how to compute.
        seed: Decides every random choice.
        folder: Where the state is kept, or None.
        cap_s: Most seconds, or None.
    """

    model: Model
    ready: Ready
    rows: Inner
    recipe: Recipe
    precision: Precision
    seed: int
    folder: Path | None
    cap_s: float | None


def identify(task: Task) -> str:
    """A hash of all that decides the result of a fit, but for the content of the records."""
    digest = hashlib.sha256(f"{task.recipe} {task.precision} {task.seed}".encode())
    for rows in (task.rows.train, task.rows.tune):
        digest.update(rows.index.astype(np.int64).tobytes() + b"|")
    for name, value in task.model.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def plan_epoch(task: Task, epoch: int) -> list[Int[np.ndarray, " _"]]:
    """The rows of every step of an epoch, over all processes."""
    sampling = chance.numbers(task.seed, chance.SAMPLING, epoch)
    drawn = np.repeat(draw(task.ready, task.rows.train, task.recipe.imbalance, sampling), task.recipe.views)
    # Several views of one record are as long as each other and would meet in one step.
    lengths = task.ready.lengths(drawn) if task.recipe.views == 1 else None
    return shuffle(drawn, task.recipe.batch, chance.numbers(task.seed, chance.ORDER, epoch), lengths)


def feed(task: Task, order: Sequence[Int[np.ndarray, " _"]], epoch: int, group: ProcessGroup) -> Iterator[StepWork]:
    """The work of every step of an epoch, made in order.

    On a processor a thread that prepares ahead would only take cores from the step itself; beside a GPU it helps.
    """
    maker = _Maker(task, epoch, group)
    return map(maker.make, order) if task.precision.device == "cpu" else ahead(maker.make, order)


def judge(task: Task, model: Model, weights: Weights) -> tuple[float, TuneEpoch | None]:
    """Loss of a network on the tune rows, all targets together, and what it said about each row.

    The loss is not a number where there are no tune rows. The rows are None there, and where views of records are
    judged rather than whole records.
    """
    index = task.rows.tune.index
    if not len(index):
        return float("nan"), None
    if task.ready.places:
        return _judge_views(task, model, weights), None
    outputs = evaluate(model, task.ready, task.rows.tune, task.precision, steady=False).by_target
    tensors = {name: torch.from_numpy(output) for name, output in outputs.items()}
    losses = add_losses(task.ready.heads, tensors, task.ready.ask(index), index, weights, judging=True).double()
    return float(losses.mean()), TuneEpoch(losses.numpy(), outputs)


def judged_at_once(task: Task) -> int:
    """How many tune rows are judged together."""
    return task.recipe.batch if task.ready.places else step_rows(task.model)


@torch.no_grad()
def _judge_views(task: Task, model: Model, weights: Weights) -> float:
    """The same for dense questions: on views of the tune rows that are the same after every epoch."""
    index = np.tile(task.rows.tune.index, min(task.recipe.views, _JUDGED_VIEWS))
    was_training = model.training
    model.eval()
    total = 0.0
    for number, first in enumerate(range(0, len(index), task.recipe.batch)):
        part = index[first : first + task.recipe.batch]
        batch = task.ready.batch(part, chance.generator(task.seed, chance.TUNE_VIEWS, number), change=False)
        with task.precision.casting():
            outputs = model({name: task.precision.move(t) for name, t in batch.inputs.items()}).outputs
        targets = {name: task.precision.move(tensors) for name, tensors in batch.targets.items()}
        losses = add_losses(task.ready.heads, outputs, targets, part, weights, judging=True)
        total += float(losses.double().sum())
    model.train(was_training)
    return total / len(index)


@final
class _Maker:
    """Makes the steps of one epoch; its random numbers follow from the seed, the epoch and the process."""

    def __init__(self, task: Task, epoch: int, group: ProcessGroup) -> None:
        self._task, self._group = task, group
        self._augment = chance.generator(task.seed, chance.AUGMENT, epoch, group.rank)
        self._mixup = chance.numbers(task.seed, chance.MIXUP, epoch, group.rank)

    def make(self, rows: Int[np.ndarray, " batch"]) -> StepWork:
        index = self._group.share(rows)
        move = self._task.precision.move
        batch = self._task.ready.batch(index, self._augment)
        inputs = {name: move(tensors) for name, tensors in batch.inputs.items()}
        targets = {name: move(tensors) for name, tensors in batch.targets.items()}
        mixture = draw_mixture(len(index), self._task.recipe.mixup, self._mixup)
        return StepWork(index, len(rows), Batch(inputs, targets), mixture)
