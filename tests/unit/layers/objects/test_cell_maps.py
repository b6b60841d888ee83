"""Maps of cells: cut, moved, learned, put together."""

import numpy as np
import pytest
import torch

from polyclinic.geometry import GridGeometry, identity
from polyclinic.layers.objects import cell_maps


def test_maps_come_back_at_the_size_of_the_grid():
    assert cell_maps.CellMaps(4, (1, 1))(torch.zeros(2, 4, 6, 8)).shape == (2, 2, 6, 8)
    assert cell_maps.CellMaps(4, (2, 4))(torch.zeros(2, 4, 6, 8)).shape == (2, 2, 12, 32)


def test_points_that_do_not_count_change_nothing():
    torch.manual_seed(1)
    output, truth, counts = torch.randn(3, 2, 8, 8), (torch.rand(3, 8, 8) > 0.5).float(), torch.ones(3, 8, 8)
    counts[:, :, 4:] = 0
    first = cell_maps.maps_loss(output, truth * counts, truth * counts, counts)
    output[:, :, :, 4:] = 99
    assert torch.allclose(first, cell_maps.maps_loss(output, truth * counts, truth * counts, counts))
    assert (cell_maps.maps_loss(output, truth, truth, torch.zeros(3, 8, 8)) == 0).all()


def test_the_loss_of_each_row_is_its_own_and_has_gradients():
    output = torch.zeros(2, 2, 4, 4, requires_grad=True)
    truth = torch.ones(2, 4, 4)
    cell_maps.maps_loss(output, truth, truth, truth)[0].backward()
    assert output.grad[0].abs().min() > 0
    assert output.grad[1].abs().max() == 0


def test_a_cut_beyond_the_picture_does_not_count():
    cut = cell_maps.cut_maps(np.full((2, 3, 3), 255, dtype=np.uint8), np.array([-1, 2]), (3, 3))
    assert cut[2].tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert cut[0].tolist() == cut[2].tolist()
    assert not cell_maps.cut_maps(np.zeros((0, 0, 0), dtype=np.uint8), np.array([0, 0]), (2, 2)).any()


def test_the_length_of_a_pixel_comes_from_the_user_or_the_file():
    plain = identity(GridGeometry((4, 4)))
    known = identity(GridGeometry((4, 4), None, (0.001, 0.002), "mm"))
    assert cell_maps.spacing_um(plain, None) is None
    assert cell_maps.spacing_um(plain, 0.5) == (0.5, 0.5)
    assert cell_maps.spacing_um(known, None) == pytest.approx((1, 2))
    assert cell_maps.spacing_um(identity(GridGeometry((4, 4), None, (3.0, 3.0), "um")), None) == (3, 3)
