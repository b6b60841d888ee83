"""The running average of the weights: what is judged on tune rows and what is kept."""

from copy import deepcopy
from typing import final

import torch
from torch import Tensor, nn

from polyclinic.model import Model


@final
class Average:
    """An exponential moving average of a network's weights and of its batch statistics.

    The decay grows with the number of steps, so that the first, random weights do not linger.

    Source: warm-up of the decay min(decay, (1 + t) / (10 + t)) as in TensorFlow's ExponentialMovingAverage.

    Attributes:
        model: The network with averaged weights.
        steps: Steps averaged so far.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self.model = deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0
        live, kept = _values(model), _values(self.model)
        smooth = [i for i, value in enumerate(live) if value.is_floating_point()]
        self._smooth = [kept[i] for i in smooth], [live[i] for i in smooth]
        self._counted = [(kept[i], live[i]) for i in range(len(live)) if i not in set(smooth)]

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the weights of now."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.decay else 0.0
        kept, live = self._smooth
        torch._foreach_lerp_(kept, live, 1.0 - decay)
        for ours, theirs in self._counted:
            ours.copy_(theirs)
        self.steps += 1


def _values(model: nn.Module) -> list[Tensor]:
    return [*(p.detach() for p in model.parameters()), *model.buffers()]
