from itertools import permutations, product

import numpy as np
import pytest

from polyclinic.geometry import GridGeometry, points_in_working, to_file, to_working
from polyclinic.records.scans.lattices import PER_SCAN, Intensity, fill, foreground, lattice, pooled_intensity

UPRIGHT = np.diag([1.0, 2.0, 3.0, 1.0])


def turned(values, order, signs):
    """The same patient stored with axes swapped and mirrored, and the affine that says so."""
    turn = np.zeros((4, 4))
    turn[3, 3] = 1
    for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
        turn[old, new] = sign
        turn[old, 3] = 0 if sign > 0 else values.shape[old] - 1
    stored = values.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    return stored, UPRIGHT @ turn


def geometry_of(stored, affine):
    steps = tuple(np.linalg.norm(affine[:3, :3], axis=0).tolist())
    return GridGeometry(stored.shape, affine, steps, "mm")


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_all_48_ways_to_store_a_patient_give_the_same_grid(order, signs):
    values = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    stored, affine = turned(values, order, signs)
    place = lattice(geometry_of(stored, affine), None, upright=True)
    np.testing.assert_array_equal(to_working(stored, place), values)
    np.testing.assert_array_equal(to_file(values, place), stored)
    assert place.spacing == pytest.approx((1, 2, 3))


def test_a_new_spacing_covers_the_same_patient():
    geometry = GridGeometry((10, 20, 30), UPRIGHT, (1.0, 2.0, 3.0), "mm")
    place = lattice(geometry, (2.0, 2.0, 2.0), upright=True)
    assert place.shape == (5, 20, 45)
    edges = points_in_working(np.array([[-0.5, -0.5, -0.5], [9.5, 19.5, 29.5]]), place)
    np.testing.assert_allclose(edges, [[-0.5, -0.5, -0.5], [4.5, 19.5, 44.5]])
    assert place.spacing == pytest.approx((2, 2, 2))


def test_rounding_in_a_header_is_no_reason_to_interpolate():
    geometry = GridGeometry((10, 10, 10), None, (1.0, 1.0005, 0.9992), "mm")
    assert lattice(geometry, (1.0, 1.0, 1.0), upright=True).shape == (10, 10, 10)


def test_a_file_that_does_not_know_where_it_lies_stays_as_it_is():
    place = lattice(GridGeometry((3, 4, 5)), (2.0, 2.0, 2.0), upright=True)
    assert place.shape == (3, 4, 5)
    assert place.spacing is None


def test_a_tilted_gantry_is_straightened():
    shear = np.eye(4)
    shear[1, 2] = np.tan(np.radians(20))
    geometry = GridGeometry((12, 14, 10), shear, (1.0, 1.0, float(np.linalg.norm(shear[:3, 2]))), "mm")
    place = lattice(geometry, (1.0, 1.0, 1.0), upright=True)
    world = shear[:3, :3] @ place.to_source[:, :3]
    np.testing.assert_allclose(world.T @ world, np.eye(3), atol=1e-9)
    corners = np.array(list(product(*[(0, n - 1) for n in geometry.shape])), dtype=float)
    inverse = np.linalg.inv(place.to_source[:, :3])
    inside = (corners - place.to_source[:, 3]) @ inverse.T
    assert (inside > -1.0).all()
    assert (inside < np.array(place.shape)).all()


def test_an_extent_shrinks_what_is_larger():
    geometry = GridGeometry((100, 50, 20), None, (1.0, 1.0, 1.0), "mm")
    assert lattice(geometry, None, upright=True, extent=(50, 50, 50)).shape == (50, 25, 10)
    assert lattice(geometry, None, upright=True, extent=(95, 95, 95)).shape == (100, 50, 20)
    assert lattice(geometry, None, upright=True, factor=2.0).shape == (50, 25, 10)


def test_each_scan_by_itself_is_the_same_after_any_gain():
    rng = np.random.default_rng(0)
    values = rng.gamma(2.0, 50.0, size=(12, 12, 12)).astype(np.float32)
    values[3, 3, 3] = 1e6
    place = lattice(GridGeometry(values.shape), None, upright=True)
    plain, loud = fill(values, place, PER_SCAN), fill(values * 700 + 30, place, PER_SCAN)
    assert plain.dtype == np.float16
    np.testing.assert_allclose(plain, loud, atol=2e-3)
    assert abs(float(plain.mean(dtype=np.float64))) < 0.05
    assert float(plain.max()) < 6


def test_one_unit_for_all_keeps_levels_apart():
    place = lattice(GridGeometry((2, 2, 2)), None, upright=True)
    intensity = Intensity(-100.0, 200.0, 50.0, 50.0)
    assert fill(np.full((2, 2, 2), 1000, dtype=np.int16), place, intensity)[0, 0, 0] == 3.0
    assert "alike" in intensity.words
    assert "own" in PER_SCAN.words


def test_a_coarser_grid_averages_rather_than_flickers():
    values = np.tile(np.array([0.0, 100.0], dtype=np.float32), 16).reshape(32, 1, 1).repeat(8, 1).repeat(8, 2)
    place = lattice(GridGeometry(values.shape, None, (1.0, 1.0, 1.0), "mm"), (4.0, 1.0, 1.0), upright=True)
    grid = fill(values, place, Intensity(0.0, 100.0, 0.0, 1.0))
    assert np.abs(grid[1:-1] - 50.0).max() < 5


def test_empty_space_is_not_the_patient():
    points = np.array([0] * 50 + list(range(10, 60)))
    assert foreground(points).sum() == 50
    assert foreground(np.arange(100)).all()
    assert pooled_intensity(np.zeros(5)).spread == 1.0
