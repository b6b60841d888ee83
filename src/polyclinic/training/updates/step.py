"""One step: some rows in, slightly better weights out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from polyclinic.heads.base import Head
from polyclinic.model import Model
from polyclinic.tensors import Batch, TargetTensors, changed
from polyclinic.training.batches.imbalance import Weights
from polyclinic.training.batches.mixup import Mixture, mix
from polyclinic.training.devices.precision import Precision
from polyclinic.training.devices.process_group import ProcessGroup
from polyclinic.training.recipe import Recipe
from polyclinic.training.updates.average import Average
from polyclinic.training.updates.optimizer import decayed, make_optimizer, pull


@dataclass(frozen=True)
class StepWork:
    """What one process computes of one step.

    Attributes:
        index: Its rows, as positions in the cohort.
        whole: Rows of the whole step, over all processes.
        batch: The rows as tensors, already moved to the device.
        mixture: Who is mixed with whom, or None.
    """

    index: Int[np.ndarray, " batch"]
    whole: int
    batch: Batch
    mixture: Mixture | None


class Stepper:
    """The network in training, with all that changes at each step."""

    def __init__(self, model: Model, heads: Mapping[str, Head], recipe: Recipe, precision: Precision) -> None:
        self.model = model
        self.heads = heads
        self.recipe = recipe
        self.precision = precision
        self.optimizer: Optimizer = make_optimizer(model, recipe)
        self.average = Average(model, recipe.ema)
        self._penalised = decayed(model)
        self.learning = [p for p in model.parameters() if p.requires_grad]

    def step(self, work: StepWork, weights: Weights, group: ProcessGroup) -> Float[Tensor, ""]:
        """Change the weights once; returns this process's part of the mean loss."""
        inputs = mix(work.batch.inputs, work.mixture) if work.mixture else work.batch.inputs
        with self.precision.casting():
            outputs = self.model(inputs).outputs
        loss = self._losses(outputs, work, weights).sum() / work.whole
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        group.sum_gradients(self.learning)
        pull(self._penalised, self.recipe.l1)
        nn.utils.clip_grad_norm_(self.learning, self.recipe.clip)
        self.optimizer.step()
        self.average.update()
        return loss.detach()

    def _losses(self, outputs: Mapping[str, Tensor], work: StepWork, weights: Weights) -> Float[Tensor, " batch"]:
        own = self._plain(outputs, work.batch.targets, work.index, weights)
        if work.mixture is None:
            return own
        partner, share = work.mixture.partner, work.mixture.share
        others = {name: take(target, partner) for name, target in work.batch.targets.items()}
        theirs = self._plain(outputs, others, work.index[partner.numpy()], weights)
        return share * own + (1 - share) * theirs

    def _plain(
        self,
        outputs: Mapping[str, Tensor],
        targets: Mapping[str, TargetTensors],
        index: Int[np.ndarray, " batch"],
        weights: Weights,
    ) -> Float[Tensor, " batch"]:
        smoothing = self.recipe.label_smoothing
        return add_losses(self.heads, outputs, targets, index, weights, smoothing)


def add_losses(
    heads: Mapping[str, Head],
    outputs: Mapping[str, Float[Tensor, "batch ..."]],
    targets: Mapping[str, TargetTensors],
    index: Int[np.ndarray, " batch"],
    weights: Weights,
    smoothing: float = 0.0,
    *,
    judging: bool = False,
) -> Float[Tensor, " batch"]:
    """Loss of each row over all targets, each target by its weight in the study, each row by its balance.

    ``judging`` asks for what tune rows are judged by, which may be something else.
    """
    parts: list[Tensor] = []
    for name, head in heads.items():
        output, target = outputs[name].float(), targets[name]
        own = head.judged(output, target) if judging else head.loss(output, target, smoothing)
        rows = head.options.weight * own
        balance = weights.of(name, index)
        parts.append(rows if balance is None else rows * torch.from_numpy(balance).to(rows.device))
    return torch.stack(parts).sum(dim=0)


def take(record: TargetTensors, index: Tensor) -> TargetTensors:
    """Some rows of a target."""
    return changed(record, lambda value: value[index.to(value.device)])
