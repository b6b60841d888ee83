"""The way from a network's grid to the file and back."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from polyclinic import geometry as places
from polyclinic.geometry import GridGeometry, Lattice, identity, overlap, points_in_working, to_file, to_working


def turned(shape: tuple[int, ...], axes: tuple[int, ...], signs: tuple[int, ...]) -> Lattice:
    """A grid whose axis k runs along axis ``axes[k]`` of the file, backwards where the sign is -1."""
    dim = len(shape)
    matrix = np.zeros((dim, dim + 1))
    for k, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        matrix[axis, k] = sign
        matrix[axis, -1] = shape[axis] - 1 if sign < 0 else 0
    return Lattice(tuple(shape[a] for a in axes), GridGeometry(shape), matrix)


def test_the_identity_changes_nothing():
    values = np.arange(12).reshape(3, 4)
    lattice = identity(GridGeometry((3, 4)))
    assert (to_working(values, lattice) == values).all()
    assert (to_file(values, lattice) == values).all()


@given(st.permutations([0, 1, 2]), st.tuples(*[st.sampled_from([-1, 1])] * 3))
def test_turning_and_mirroring_is_exact_and_undone(axes, signs):
    values = np.random.default_rng(1).integers(0, 9, (3, 4, 5))
    lattice = turned(values.shape, tuple(axes), signs)
    working = to_working(values, lattice)
    assert working.shape == lattice.shape
    assert (to_file(working, lattice) == values).all()
    for index in itertools.product(*map(range, working.shape)):
        source = (lattice.to_source[:, :-1] @ index + lattice.to_source[:, -1]).astype(int)
        assert working[index] == values[tuple(source)]


def test_turning_agrees_with_resampling():
    values = np.random.default_rng(2).random((4, 5, 6))
    lattice = turned(values.shape, (2, 0, 1), (-1, 1, -1))
    slowly = ndimage.affine_transform(
        values, lattice.to_source[:, :-1], lattice.to_source[:, -1], output_shape=lattice.shape, order=1
    )
    np.testing.assert_allclose(to_working(values, lattice, order=1), slowly)


def test_a_coarser_grid_comes_back_in_the_shape_of_the_file():
    source = GridGeometry((20, 16), spacing=(1.0, 1.0), unit="mm")
    lattice = Lattice((10, 8), source, np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]]), (2.0, 2.0))
    truth = np.zeros((20, 16))
    truth[4:14, 4:12] = 1
    back = to_file(to_working(truth, lattice, order=1), lattice) > 0.5
    assert back.shape == (20, 16)
    assert 2 * (back & (truth > 0)).sum() / (back.sum() + truth.sum()) == 1.0


def test_slabs_give_what_the_whole_gives(monkeypatch):
    values = np.random.default_rng(3).random((9, 7, 5))
    matrix = np.array([[0.5, 0.1, 0, 1], [0, 0.7, 0.1, 0.3], [0.1, 0, 0.6, 0]])
    lattice = Lattice((12, 8, 6), GridGeometry(values.shape), matrix)
    whole = to_working(values, lattice, order=1), to_file(np.ones(lattice.shape), lattice)
    monkeypatch.setattr(places, "_SLAB", 100)
    np.testing.assert_allclose(to_working(values, lattice, order=1), whole[0])
    np.testing.assert_allclose(to_file(np.ones(lattice.shape), lattice), whole[1])


def test_outside_the_file_there_is_nothing():
    lattice = Lattice((6, 6), GridGeometry((4, 4)), np.array([[1.0, 0, -1], [0, 1, -1]]))
    working = to_working(np.ones((4, 4), dtype=np.uint8), lattice)
    assert working.sum() == 16
    assert working[0].sum() == 0


@pytest.mark.parametrize("dim", [2, 3])
def test_points_go_and_come_back(dim):
    rng = np.random.default_rng(4)
    matrix = np.concatenate([np.eye(dim) + 0.2 * rng.random((dim, dim)), rng.random((dim, 1))], axis=1)
    lattice = Lattice((5,) * dim, GridGeometry((6,) * dim), matrix)
    points = rng.random((7, dim)) * 4
    in_file = points @ matrix[:, :-1].T + matrix[:, -1]
    np.testing.assert_allclose(points_in_working(in_file, lattice), points)


@pytest.mark.parametrize("start", range(-4, 7))
def test_a_box_and_a_grid_share_what_lies_on_both(start):
    here, there = overlap((start,), (3,), (5,))
    assert np.arange(start, start + 3)[here].tolist() == np.arange(5)[there].tolist()
    assert len(np.arange(5)[there]) == len({start, start + 1, start + 2} & set(range(5)))
