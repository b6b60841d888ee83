"""The tensors of a fit under way, by name, and back."""

from collections.abc import Mapping

import torch
from torch import Tensor

from polyclinic.training.epochs.checkpoint import Checkpoint
from polyclinic.training.epochs.tune_history import TuneHistory
from polyclinic.training.updates.step import Stepper

_MODEL, _AVERAGE, _BEST, _OPTIMIZER, _TUNE = "model/", "average/", "best/", "optimizer/", "tune/"


def snapshot(stepper: Stepper, best: Mapping[str, Tensor], tune: TuneHistory, ended: bool) -> dict[str, Tensor]:
    """All tensors that decide how the fit goes on; of one that is over, what it leaves."""
    tensors = {_BEST + name: value for name, value in best.items()}
    tensors |= {_TUNE + name: value for name, value in tune.tensors().items()}
    if not ended:
        tensors |= {_MODEL + name: value for name, value in stepper.model.state_dict().items()}
        tensors |= {_AVERAGE + name: value for name, value in stepper.average.model.state_dict().items()}
        tensors |= _optimizer_tensors(stepper)
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}


def restore(stepper: Stepper, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Put a snapshot back into the network, its average and the optimizer; returns the best weights."""
    if not checkpoint.record.ended:
        stepper.model.load_state_dict(_under(_MODEL, checkpoint))
        stepper.average.model.load_state_dict(_under(_AVERAGE, checkpoint))
        stepper.average.steps = checkpoint.record.averaged
        _restore_optimizer(stepper, _under(_OPTIMIZER, checkpoint))
    return best_weights(checkpoint)


def best_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The best averaged weights of a snapshot."""
    return _under(_BEST, checkpoint)


def tune_history(checkpoint: Checkpoint) -> TuneHistory:
    """What was said about the tune rows so far."""
    return TuneHistory.from_tensors(_under(_TUNE, checkpoint))


def _under(prefix: str, checkpoint: Checkpoint) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): v for name, v in checkpoint.tensors.items() if name.startswith(prefix)}


def _optimizer_tensors(stepper: Stepper) -> dict[str, Tensor]:
    return {
        f"{_OPTIMIZER}{number}/{key}": value
        for number, weight in enumerate(stepper.learning)
        for key, value in stepper.optimizer.state.get(weight, {}).items()
        if isinstance(value, Tensor)
    }


def _restore_optimizer(stepper: Stepper, tensors: Mapping[str, Tensor]) -> None:
    for name, value in tensors.items():
        number, key = name.split("/")
        weight = stepper.learning[int(number)]
        # The fused kernels walk through memory as it lies, so moments must lie as the weight does.
        like = weight if value.shape == weight.shape else value.to(weight.device)
        stepper.optimizer.state[weight][key] = torch.empty_like(like, dtype=value.dtype).copy_(value)
