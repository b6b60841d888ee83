"""Mixing pairs of patients while training."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from polyclinic.errors import Finding, StudyError
from polyclinic.heads.base import Head
from polyclinic.tensors import InputTensors, changed


@dataclass(frozen=True)
class Mixture:
    """Who is mixed with whom in a batch, and how much.

    Attributes:
        partner: Position in the batch of each row's partner.
        share: How much of the row itself remains, from 0.5 to 1.
    """

    partner: Tensor
    share: float


def check_mixup(heads: Mapping[str, Head], strength: float) -> None:
    """Refuse mixup where a mixture of two patients has no outcome of its own (survival, for example).

    Raises:
        StudyError: naming every such target.
    """
    unsafe = [name for name, head in heads.items() if not head.mixup_safe]
    if strength and unsafe:
        rule, remedy = "two patients may be mixed only where their outcomes can be", "Set mixup = 0."
        place = "study.toml [training] mixup"
        found = [f'the outcomes of target "{name}" cannot' for name in unsafe]
        raise StudyError(Finding("mixup_unsafe", place, rule, one, remedy) for one in found)


def draw_mixture(rows: int, strength: float, rng: np.random.Generator) -> Mixture | None:
    """Draw partners and a share from Beta(strength, strength); None where mixup is off.

    Source: Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018.
    """
    if not strength:
        return None
    share = float(rng.beta(strength, strength))
    return Mixture(torch.from_numpy(rng.permutation(rows)), max(share, 1 - share))


def mix(inputs: Mapping[str, InputTensors], mixture: Mixture) -> dict[str, InputTensors]:
    """Mix what can be mixed: measured quantities. Codes, masks and absent inputs stay those of the larger share."""
    return {name: _mix_one(tensors, mixture) for name, tensors in inputs.items()}


def _mix_one(tensors: InputTensors, mixture: Mixture) -> InputTensors:
    both = tensors.present & tensors.present[mixture.partner]
    shares = torch.where(both, mixture.share, 1.0)

    def blend(value: Tensor) -> Tensor:
        if not value.is_floating_point():
            return value
        share = shares.to(value.dtype).reshape(-1, *[1] * (value.ndim - 1))
        return share * value + (1 - share) * value[mixture.partner]

    return changed(tensors, blend)
