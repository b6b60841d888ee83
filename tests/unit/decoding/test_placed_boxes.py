import numpy as np
import pytest
import torch
from torch.nn import functional as F

from polyclinic.decoding import placed_boxes
from polyclinic.geometry import GridGeometry, Lattice


def test_there_and_back():
    # Half as many points, mirrored down, and the axes of the file swapped.
    lattice = Lattice((20, 30), GridGeometry((60, 40)), np.array([[0.0, 2.0, 0.5], [-2.0, 0.0, 38.5]]))
    boxes = np.array([[1.0, 10, 4, 30, 20], [0.0, 0, 0, 60, 40]])
    there = placed_boxes.on_grid(boxes, lattice)
    np.testing.assert_allclose(there[1, 1:], [0, 0, 20, 30])
    np.testing.assert_allclose(placed_boxes.in_file(there[:, 1:], lattice), boxes[:, 1:])


def test_boxes_are_kept_within_the_file():
    lattice = Lattice((20, 20), GridGeometry((20, 20)), np.eye(2, 3))
    assert placed_boxes.in_file(np.array([[-5.0, 3, 7, 90]]), lattice).tolist() == [[0, 3, 7, 20]]


def test_hardly_seen_objects_are_left_out_and_others_cut():
    boxes = np.array([[0.0, 0, 0, 10, 10], [1.0, 0, 2, 10, 12], [2.0, 50, 50, 60, 60]])
    seen = placed_boxes.in_view(boxes, np.array([0, 8.0]), (20, 20), None, (20, 20))
    assert seen.tolist() == [[1.0, 0, 0, 10, 4]]


def seen_extent(grid):
    rows, columns = np.nonzero(grid > 0.5)
    return [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]


@pytest.mark.parametrize(
    "turn", [[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, 1]], [[0.5, 0], [0, 0.8]], [[0.0, 0.7], [-0.7, 0.0]]]
)
def test_boxes_move_as_the_pixels_do(turn):
    grid = np.zeros((64, 48), dtype=np.float32)
    grid[20:36, 16:28] = 1
    affine = torch.tensor([[[*turn[0], 0.05], [*turn[1], -0.1]]])
    sampled = F.affine_grid(affine, [1, 1, 40, 40], align_corners=False)
    cut = grid[4:56, 2:46]
    view = F.grid_sample(torch.from_numpy(cut)[None, None], sampled, align_corners=False)[0, 0].numpy()
    boxes = np.array([[0.0, 20, 16, 36, 28]])
    found = placed_boxes.in_view(boxes, np.array([4.0, 2]), (52, 44), affine[0].numpy(), (40, 40))
    np.testing.assert_allclose(found[0, 1:], seen_extent(view), atol=1.01)


def test_a_tilted_disc_keeps_its_box():
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = placed_boxes.moved(np.array([[-5.0, -5, 5, 5]]), turn, np.zeros(2))
    np.testing.assert_allclose(found, [[-5, -5, 5, 5]])
