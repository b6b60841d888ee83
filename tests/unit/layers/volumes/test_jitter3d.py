import dataclasses

import pytest
import torch

from polyclinic.layers.volumes.jitter3d import Jitter3d, draw_movement, normalised, relight, take_views

STRONG = Jitter3d(0.1, 0.2, 20.0, (True, True, True), 0.3, 0.3, 0.5, 0.2)
STILL = Jitter3d(0, 0, 0, (False, False, False), 0, 0, 0, 0)


def generator(seed=1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_no_movement_takes_the_middle_of_the_cut():
    cut = torch.arange(10.0 * 8 * 6).reshape(1, 1, 10, 8, 6)
    affine = draw_movement(1, (6, 4, 2), (10, 8, 6), (1, 1, 1), STILL, generator())
    torch.testing.assert_close(take_views(cut, affine, (6, 4, 2)), cut[:, :, 2:8, 2:6, 2:4])


def test_a_shift_is_given_in_half_sides_of_the_view_first_axis_first():
    cut = torch.arange(10.0).reshape(1, 1, 10, 1, 1).expand(1, 1, 10, 4, 4)
    affine = normalised(torch.eye(3)[None], torch.tensor([[0.5, 0.0, 0.0]]), (4, 4, 4), (10, 4, 4))
    assert take_views(cut, affine, (4, 4, 4))[0, 0, :, 0, 0].tolist() == pytest.approx([4, 5, 6, 7], abs=1e-4)


def test_rotations_keep_lengths_in_the_patient():
    steps = torch.tensor([1.0, 1.5, 2.0])
    size = torch.tensor([20.0, 16.0, 10.0])
    rigid = dataclasses.replace(STRONG, zoom=0, shift=0, mirror=(False,) * 3)
    for affine in draw_movement(8, (20, 16, 10), (20, 16, 10), steps.tolist(), rigid, generator()):
        turn = affine[:, :3].flip(0).flip(1) * size[:, None] / size[None, :]
        patient = turn * steps[:, None] / steps[None, :]
        torch.testing.assert_close(patient @ patient.T, torch.eye(3), atol=1e-4, rtol=0)


def test_nothing_turns_across_far_slices():
    rigid = dataclasses.replace(STRONG, zoom=0, shift=0, mirror=(False,) * 3)
    for affine in draw_movement(8, (8, 8, 8), (8, 8, 8), (1.0, 1.0, 5.0), rigid, generator()):
        assert affine[0, 1:3].abs().max() == 0
        assert affine[1:, 0].abs().max() == 0


def test_light_follows_its_generator_and_may_be_left_alone():
    views = torch.randn(4, 1, 5, 5, 5)
    assert torch.equal(relight(views, STRONG, generator(3)), relight(views, STRONG, generator(3)))
    assert not torch.equal(relight(views, STRONG, generator(3)), views)
    torch.testing.assert_close(relight(views, STILL, generator()), views)
