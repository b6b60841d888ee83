import numpy as np
import pytest
import torch

from polyclinic.layers.volumes.jitter3d import Jitter3d
from polyclinic.layers.volumes.views import Viewer, window_starts

STRENGTH = Jitter3d(0.1, 0.2, 20.0, (True, False, True), 0, 0, 0, 0)


class Cubes:
    """Grids whose values are known."""

    def __init__(self, *grids: np.ndarray | None) -> None:
        self.grids = grids

    def shape(self, row):
        return None if self.grids[row] is None else self.grids[row].shape

    def cut(self, row, start, size):
        if self.grids[row] is None:
            return np.zeros(size, dtype=np.float32)
        padded = np.pad(self.grids[row], 64)
        return padded[tuple(slice(s + 64, s + 64 + n) for s, n in zip(start, size, strict=True))].astype(np.float32)


def generator(seed=1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("shape", [(40, 30, 20), (9, 30, 12)])
def test_what_is_aimed_at_is_in_the_view(change, shape):
    rng = np.random.default_rng(0)
    viewer = Viewer((16, 12, 8), (1.0, 1.0, 1.0), STRENGTH)
    for seed in range(30):
        point = rng.integers(0, shape)
        grid = np.zeros(shape, dtype=np.float32)
        grid[tuple(point)] = 1.0
        aim = np.array([point], dtype=np.float64)
        values, _ = viewer.draw(Cubes(grid), np.array([0]), aim, generator(seed), change=change)
        assert values.shape == (1, 1, 16, 12, 8)
        assert values.max() > (0.02 if change else 0.99)


def test_without_aim_every_part_is_seen_and_little_padding():
    grid = np.arange(20 * 6 * 6, dtype=np.float32).reshape(20, 6, 6) + 1
    viewer = Viewer((8, 8, 4), (1.0, 1.0, 1.0), STRENGTH)
    nowhere = np.full((64, 3), np.nan)
    _, movement = viewer.draw(Cubes(grid), np.zeros(64, dtype=np.int64), nowhere, generator(), change=False)
    assert set(movement.start[:, 0].tolist()) == set(range(13))
    assert set(movement.start[:, 1].tolist()) == {-1}
    assert set(movement.start[:, 2].tolist()) == {0, 1, 2}


def test_the_movement_tells_where_each_point_came_from():
    at = np.stack(np.meshgrid(*[np.arange(n, dtype=np.float32) for n in (30, 28, 26)], indexing="ij"))
    viewer = Viewer((10, 8, 6), (1.0, 1.0, 1.0), STRENGTH)
    aim = np.array([[15.0, 14.0, 13.0]])
    for axis in range(3):
        values, movement = viewer.draw(Cubes(at[axis]), np.array([0]), aim, generator(4), change=True)
        grid = torch.nn.functional.affine_grid(movement.affine, [1, 1, 10, 8, 6], align_corners=False)
        cut = np.array(movement.cut)
        source = ((grid[0].flip(-1).numpy() + 1) * cut - 1) / 2 + movement.start.numpy()[0]
        np.testing.assert_allclose(values[0, 0], source[..., axis], atol=1e-2)


def test_an_absent_row_gives_zeros_and_no_windows():
    viewer = Viewer((4, 4, 4), (1.0, 1.0, 1.0), STRENGTH)
    values, _ = viewer.draw(Cubes(None), np.array([0]), np.full((1, 3), np.nan), generator(), change=False)
    assert values.abs().max() == 0
    assert list(viewer.windows(Cubes(None), 0)) == []


def test_windows_cover_every_point_and_overlap_by_half():
    starts = np.array(window_starts((21, 8, 5), (8, 8, 8), 0.5))
    assert starts[:, 1].tolist() == [0] * len(starts)
    assert set(starts[:, 2].tolist()) == {-1}
    first = np.unique(starts[:, 0])
    assert first[0] == 0
    assert first[-1] == 13
    assert np.diff(first).max() <= 4


def test_windows_come_a_few_at_a_time_in_the_end_all():
    viewer = Viewer((64, 64, 64), (1.0, 1.0, 1.0), STRENGTH)
    parts = list(viewer.windows(Cubes(np.zeros((100, 64, 100), dtype=np.float32)), 0))
    assert max(len(values) for values, _ in parts) == 2
    assert sum(len(values) for values, _ in parts) == 9
