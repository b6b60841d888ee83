from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from polyclinic.tensors import InputTensors
from polyclinic.training.batches.mixup import Mixture, draw_mixture, mix


@dataclass(frozen=True)
class Sample(InputTensors):
    values: Tensor
    codes: Tensor


def test_quantities_are_mixed_and_codes_stay():
    sample = Sample(torch.tensor([True, True]), torch.tensor([[0.0], [10.0]]), torch.tensor([[1], [2]]))
    mixed = mix({"labs": sample}, Mixture(torch.tensor([1, 0]), 0.75))["labs"]
    assert mixed.values.flatten().tolist() == [2.5, 7.5]
    assert mixed.codes.flatten().tolist() == [1, 2]


def test_an_absent_record_is_not_mixed_in():
    sample = Sample(torch.tensor([True, False]), torch.tensor([[4.0], [0.0]]), torch.tensor([[1], [2]]))
    mixed = mix({"labs": sample}, Mixture(torch.tensor([1, 0]), 0.75))["labs"]
    assert mixed.values.flatten().tolist() == [4.0, 0.0]
    assert mixed.present.tolist() == [True, False]


def test_a_row_keeps_the_larger_share_of_itself():
    rng = np.random.default_rng(0)
    drawn = [draw_mixture(5, 0.4, rng) for _ in range(50)]
    assert all(0.5 <= mixture.share <= 1 for mixture in drawn)
    assert all(sorted(mixture.partner.tolist()) == [0, 1, 2, 3, 4] for mixture in drawn)


def test_without_strength_nothing_is_mixed():
    assert draw_mixture(5, 0.0, np.random.default_rng(0)) is None
