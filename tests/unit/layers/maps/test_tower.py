import torch

from polyclinic.layers.maps.tower import ResidualTower
from polyclinic.layers.maps.unet import Stages
from polyclinic.records.network_shape import plan_steps


def test_any_extent_gives_one_map_per_stage():
    strides, kernels = plan_steps((1, 1, 1), (28, 27, 9), 4, 2)
    tower = ResidualTower(Stages(1, (4, 8, 16, 32), strides, kernels, (0, 1, 1, 1)))
    seen = tower(torch.randn(2, 1, 28, 27, 9))
    assert [tuple(one.shape[1:3]) for one in seen.maps] == [(4, 28), (8, 14), (16, 7), (32, 4)]
    assert seen.pooled.shape == (2, tower.width)
    seen.pooled.sum().backward()
    assert all(weight.grad is not None for weight in tower.parameters())
