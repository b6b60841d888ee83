"""Slices in order by place: shuffled ones come back, tolerances hold, gaps and detours are told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.errors import ReadError
from polyclinic.formats.dicom.planes import Plane, pile, plane_of, same_places, sparse_pile


def planes(heights, lean=0.0, drift=(0.0, 0.0)):
    """Slices at these places along z, moved sideways by ``drift`` for each mm."""
    column = (0.0, float(np.cos(lean)), float(np.sin(lean)))
    return [
        Plane((10 + drift[0] * z, 20 + drift[1] * z, float(z)), (1.0, 0.0, 0.0), column, column_step=0.5, row_step=0.8)
        for z in heights
    ]


def refusal(call):
    with pytest.raises(ReadError) as caught:
        call()
    return caught.value.findings[0].name


@given(st.permutations(range(9)), st.floats(0.2, 9), st.floats(-0.3, 0.3))
def test_any_order_gives_one_volume(order, step, drift):
    straight = planes(np.arange(9) * step, drift=(drift, 0.0))
    found = pile([straight[number] for number in order])
    assert [order[number] for number in found.order] == list(range(9))
    assert np.allclose(found.affine, pile(straight).affine)
    assert np.allclose(found.affine[:3, 2], [-drift * step, 0, step])


def test_the_affine_leads_from_column_row_slice_to_the_patient():
    found = pile(planes([0, 2, 4])).affine
    assert np.allclose(found @ [0, 0, 0, 1], [-10, -20, 0, 1])
    assert np.allclose(found @ [1, 0, 0, 1], [-10.5, -20, 0, 1])
    assert np.allclose(found @ [0, 1, 0, 1], [-10, -20.8, 0, 1])
    assert np.allclose(found @ [0, 0, 2, 1], [-10, -20, 4, 1])


@given(st.sets(st.integers(1, 10), min_size=1, max_size=4))
def test_a_gap_is_a_gap_wherever_it_is(missing):
    heights = [1.5 * z for z in range(12) if z not in missing]
    assert refusal(lambda: pile(planes(heights))) in ("missing_slices", "uneven_spacing")


def test_missing_slices_are_counted():
    with pytest.raises(ReadError, match="3 seem to be missing: 2 of 6 gaps"):
        pile(planes([0, 1, 2, 4, 5, 8, 9]))


def test_positions_rounded_to_a_tenth_are_even():
    heights = np.round(np.arange(100) * 0.625, 1)
    assert pile(planes(heights)).affine[2, 2] == pytest.approx(0.625, abs=1e-3)


@pytest.mark.parametrize("heights", [[0, 1, 2, 3.3], [0, 1, 2.2, 3.2], [0, 1, 1.7, 2.7], np.linspace(0, 3, 20) ** 1.2])
def test_uneven(heights):
    assert refusal(lambda: pile(planes(heights))) == "uneven_spacing"


def test_a_slice_beside_the_line():
    moved = planes(range(6))
    moved[3] = Plane((11.0, 20.0, 3.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), column_step=0.5, row_step=0.8)
    assert refusal(lambda: pile(moved)) == "uneven_spacing"


def test_two_orientations_and_two_sizes_of_pixels():
    turned = [*planes(range(5)), *planes([5], lean=0.1)]
    assert refusal(lambda: pile(turned)) == "mixed_orientations"
    other = Plane((10.0, 20.0, 5.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), column_step=0.6, row_step=0.8)
    assert refusal(lambda: pile([*planes(range(5)), other])) == "mixed_spacings"


def test_one_place_twice():
    assert refusal(lambda: pile(planes([0, 1, 1, 2]))) == "repeated_positions"
    assert same_places(planes([3, 0, 3, 1])) == [[1], [3], [0, 2]]
    assert refusal(lambda: pile(planes([1]))) == "one_slice"


def test_slices_left_out_on_purpose():
    found = sparse_pile(planes([0, 2, 8]), 2.0)
    assert found.index.tolist() == [0, 1, 4]
    assert found.affine[2, 2] == 2
    assert sparse_pile(planes([5]), 3.0).affine[2, 2] == 3
    assert refusal(lambda: sparse_pile(planes([5]), None)) == "no_spacing"
    assert refusal(lambda: sparse_pile(planes([0, 2, 5]), 2.0)) == "uneven_spacing"
    assert refusal(lambda: sparse_pile(planes([0, 1]), 4.0)) == "uneven_spacing"


@pytest.mark.parametrize(
    ("position", "orientation", "spacing", "name"),
    [
        (None, (1, 0, 0, 0, 1, 0), (1, 1), "no_positions"),
        ((0, 0, 0), None, (1, 1), "no_positions"),
        ((0, 0, 0), (1, 0, 0, 0, 1, 0), None, "no_spacing"),
        ((0, 0), (1, 0, 0, 0, 1, 0), (1, 1), "broken_affine"),
        ((0, 0, float("nan")), (1, 0, 0, 0, 1, 0), (1, 1), "broken_affine"),
        (5, (1, 0, 0, 0, 1, 0), (1, 1), "broken_affine"),
        ((0, 0, 0), (1, 0, 0, 0.1, 1, 0), (1, 1), "broken_affine"),
    ],
)
def test_headers_that_are_no_plane(position, orientation, spacing, name):
    assert refusal(lambda: plane_of(position, orientation, spacing)) == name
