"""Views of pictures: they hold what they are aimed at, cover all, and say truly how they were taken."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from polyclinic.layers.pictures.jitter import Jitter
from polyclinic.layers.pictures.picture_views import PictureViewer

STILL = Jitter(0, 0, 0, False, False, False, 0, 0, 0)
WILD = Jitter(0.1, 0.3, 180, True, True, True, 0, 0, 0)


@dataclass(frozen=True)
class Beacon:
    """Dark pictures with one bright pixel, whose brightness fades over its neighbours."""

    sides: tuple[int, int]
    at: tuple[int, int]

    def shape(self, row):
        return self.sides

    def cut(self, row, start, size):
        down, across = (np.arange(a, a + n) for a, n in zip(start, size, strict=True))
        away = np.hypot(down[:, None] - self.at[0], across[None] - self.at[1])
        return np.exp(-(away**2) / 4).astype(np.float32)[:, :, None]


@pytest.mark.parametrize("at", [(0, 0), (50, 33), (99, 69), (0, 69), (3, 40)])
@pytest.mark.parametrize("strength", [STILL, WILD])
def test_a_view_holds_what_it_is_aimed_at(at, strength):
    viewer = PictureViewer((32, 48), strength)
    aim = np.tile(np.array(at, dtype=float), (20, 1))
    values, _ = viewer.draw(
        Beacon((100, 70), at), np.zeros(20, dtype=int), aim, torch.Generator().manual_seed(0), change=True
    )
    assert values.shape == (20, 1, 32, 48)
    assert values.amax(dim=(1, 2, 3)).min() > 0.7


def test_the_movement_is_that_of_the_pixels():
    beacon = Beacon((90, 90), (45, 40))
    viewer = PictureViewer((32, 32), WILD)
    aim = np.tile([45.0, 40.0], (6, 1))
    values, movement = viewer.draw(beacon, np.zeros(6, dtype=int), aim, torch.Generator().manual_seed(1), change=True)
    cuts = torch.from_numpy(np.stack([beacon.cut(0, s, movement.cut) for s in movement.start.tolist()])).permute(
        0, 3, 1, 2
    )
    grid = F.affine_grid(movement.affine, [6, 1, 32, 32], align_corners=False)
    torch.testing.assert_close(F.grid_sample(cuts, grid, align_corners=False), values, atol=1e-5, rtol=0)


def test_views_without_aim_stay_within_the_picture():
    viewer = PictureViewer((32, 32), STILL)
    aim = np.full((200, 2), np.nan)
    index = np.zeros(200, dtype=int)
    _, movement = viewer.draw(Beacon((80, 64), (9, 9)), index, aim, torch.Generator().manual_seed(2), change=False)
    assert movement.start.amin(dim=0).tolist() == [0, 0]
    assert movement.start.amax(dim=0).tolist() == [48, 32]


def test_a_picture_smaller_than_a_view_lies_in_its_middle():
    viewer = PictureViewer((32, 32), STILL)
    _, movement = viewer.draw(
        Beacon((20, 10), (9, 9)), np.zeros(3, dtype=int), np.full((3, 2), np.nan), torch.Generator(), change=False
    )
    assert movement.start.tolist() == [[-6, -11]] * 3


@pytest.mark.parametrize("sides", [(20, 10), (32, 33), (100, 71)])
def test_windows_cover_every_pixel(sides):
    covered = np.zeros(sides, dtype=bool)
    for values, movement in PictureViewer((32, 32), STILL).windows(Beacon(sides, (0, 0)), 0):
        assert len(values) == len(movement.start)
        for top, left in movement.start.tolist():
            covered[max(0, top) : top + 32, max(0, left) : left + 32] = True
    assert covered.all()
