"""What is checked of every volume: geometry, number types, labels; and masks laid on their scan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.errors import ReadError
from polyclinic.formats.voxels.voxel_grid import (
    MOST_SIDE,
    Mask,
    Raw,
    VolumeFacts,
    as_mask,
    as_volume,
    check_affine,
    check_shape,
    labels_of,
    on_scan_grid,
    steps_of,
    three_axes,
)

FACTS = VolumeFacts("test", "", 8, 1, (1, 1, 1))
AFFINE = np.array([[0, -2.0, 0, 9], [1.5, 0, 0, -8], [0, 0, 3.0, 7], [0, 0, 0, 1]])


def refusal(call):
    with pytest.raises(ReadError) as caught:
        call()
    return caught.value.findings[0].name


def raw(values, slope=1.0, intercept=0.0, affine=None):
    return Raw(values, affine, None if affine is None else steps_of(affine), slope, intercept, FACTS)


@pytest.mark.parametrize(
    ("values", "slope", "intercept", "dtype"),
    [
        (np.array([0, 255], np.uint8), 1, 0, np.uint8),
        (np.array([0, 255], np.uint8), 1, -1024, np.int16),
        (np.array([0, 255], np.uint8), 0.5, 0, np.float32),
        (np.array([0, 255], np.uint8), 1000, 0, np.float32),
        (np.array([-100, 100], np.int8), 1, 0, np.int16),
        (np.array([0, 32767], np.uint16), 1, 0, np.int16),
        (np.array([0, 32768], np.uint16), 1, 0, np.float32),
        (np.array([0, 60000], np.uint16), 1, -30000, np.int16),
        (np.array([-40000, 5], np.int32), 1, 0, np.float32),
        (np.array([-5, 5], np.int64), 1, 0, np.int16),
        (np.array([1.5, 2], np.float64), 1, 0, np.float32),
        (np.array([1, 2], ">i2"), 1, 0, np.int16),
    ],
)
def test_the_smallest_number_type_that_holds_the_values(values, slope, intercept, dtype):
    found = as_volume(raw(values.reshape(1, 1, 2), float(slope), float(intercept)))
    assert found.values.dtype == dtype
    assert np.array_equal(found.values.ravel(), values.astype(float) * slope + intercept)
    assert (found.low, found.high) == ((0, 255) if dtype == np.uint8 else (found.values.min(), found.values.max()))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_values_that_fit_are_not_copied(dtype):
    values = np.asfortranarray(np.ones((2, 3, 4), dtype))
    assert np.shares_memory(as_volume(raw(values)).values, values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_values_must_be_numbers(bad):
    assert refusal(lambda: as_volume(raw(np.full((2, 2, 2), bad)))) == "not_finite"


def changed(row, column, value):
    affine = AFFINE.copy()
    affine[row, column] = value
    return affine


@pytest.mark.parametrize(
    "affine",
    [
        changed(0, 0, np.nan),
        changed(2, 3, np.inf),
        changed(3, 0, 1),
        changed(3, 3, 2),
        changed(2, 2, 0),
        changed(2, 2, 1e9),
        changed(0, 3, 1e8),
        np.ones((4, 4)),
        np.array([[1, 1, 0, 0], [1, 1.0001, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    ],
)
def test_broken_affines(affine):
    assert refusal(lambda: check_affine(affine)) == "broken_affine"


def test_shear():
    assert as_volume(raw(np.ones((1, 1, 1)), affine=AFFINE)).notes == ()
    assert steps_of(AFFINE) == (1.5, 2, 3)
    assert [note.name for note in as_volume(raw(np.ones((1, 1, 1)), affine=changed(1, 2, 0.1))).notes] == [
        "sheared_volume"
    ]


def test_absurd_shapes():
    assert refusal(lambda: check_shape((0, 2, 2), 1)) == "empty_volume"
    assert refusal(lambda: check_shape((MOST_SIDE + 1, 1, 1), 1)) == "volume_too_large"
    assert refusal(lambda: check_shape((MOST_SIDE, MOST_SIDE, MOST_SIDE), 8)) == "volume_too_large"
    check_shape((512, 512, 2048), 4)


def test_axes():
    assert three_axes((2, 3, 4, 1, 1)) == (2, 3, 4)
    assert three_axes((2, 3)) == (2, 3, 1)
    assert refusal(lambda: three_axes((2, 3, 4, 2))) == "four_axes"
    assert refusal(lambda: three_axes((2,))) == "not_a_volume"


@pytest.mark.parametrize("values", [[0.5, 1], [-1, 0], [np.nan, 1], [70000, 0]])
def test_numbers_that_are_no_labels(values):
    assert refusal(lambda: as_mask(raw(np.array(values).reshape(1, 1, 2)))) == "not_labels"


def test_labels():
    labels, values = labels_of(np.array([[3.0, 0.0], [7.0, 3.0]]))
    assert (labels.dtype, values) == (np.uint8, (0, 3, 7))
    labels, values = labels_of(np.array([300, 1]))
    assert (labels.dtype, values) == (np.uint16, (1, 300))
    assert labels_of(np.array([True, False]))[1] == (0, 1)


def mask(labels, affine, names=()):
    return Mask(labels, names, (0, 1), affine, None if affine is None else steps_of(affine), FACTS)


@given(
    st.permutations(range(3)),
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.integers(0, 3)] * 3),
    st.tuples(*[st.integers(2, 4)] * 3),
)
def test_a_mask_of_the_same_points_is_laid_on_its_scan(order, flips, start, size):
    scan = np.zeros((9, 8, 7), np.uint8)
    box = tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))
    rng = np.random.default_rng(0)
    scan[box] = rng.integers(1, 9, scan[box].shape)
    part, affine = scan[box], AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, :3] @ start
    for axis in range(3):
        if flips[axis]:
            part = np.flip(part, axis)
            affine[:3, 3] += affine[:3, axis] * (part.shape[axis] - 1)
            affine[:3, axis] *= -1
    part, affine = part.transpose(order), affine[:, [*order, 3]]
    laid = on_scan_grid(mask(np.ascontiguousarray(part), affine), scan.shape, AFFINE)
    assert np.array_equal(laid.labels, scan)
    assert laid.affine is not None
    assert np.array_equal(laid.affine, AFFINE)


def test_layers_are_laid_alike():
    layers = np.zeros((2, 3, 3, 3), np.uint8)
    layers[1, 0, 1, 2] = 1
    laid = on_scan_grid(mask(layers, AFFINE, ("a", "b")), (5, 5, 5), AFFINE)
    assert laid.labels.shape == (2, 5, 5, 5)
    assert laid.labels[1, 0, 1, 2] == laid.labels.sum() == 1


@pytest.mark.parametrize(
    "affine", [changed(0, 3, 9.9), changed(2, 2, 6), changed(1, 2, 0.4), changed(0, 0, 1), None, changed(2, 3, 99)]
)
def test_a_mask_of_other_points_is_refused(affine):
    labels = np.ones((3, 3, 3), np.uint8)
    assert refusal(lambda: on_scan_grid(mask(labels, affine), (5, 5, 5), AFFINE)) == "other_geometry"


def test_a_mask_may_stick_out_where_it_is_empty():
    labels = np.zeros((9, 3, 3), np.uint8)
    labels[4] = 1
    assert on_scan_grid(mask(labels, AFFINE), (5, 5, 5), AFFINE).labels.sum() == 9
    labels[6] = 1
    assert refusal(lambda: on_scan_grid(mask(labels, AFFINE), (5, 5, 5), AFFINE)) == "other_geometry"
