from math import prod

import pytest

from polyclinic.records.network_shape import (
    choose_network,
    choose_patch,
    dense_shape,
    fit_steps,
    picture_steps,
    plan_steps,
    whole_shape,
)


def test_a_small_scan_gives_a_patch_a_little_smaller():
    shape = dense_shape((35, 50, 36), (1.0, 1.0, 1.0), "3", None)
    assert shape.extent == (32, 48, 32)
    assert len(shape.strides) == 4


def test_a_large_scan_gives_a_patch_of_equal_sides_in_the_patient():
    assert choose_patch((512, 512, 400), (1.0, 1.0, 1.0), 1 << 18) == (64, 64, 64)
    flat = choose_patch((512, 512, 60), (0.8, 0.8, 5.0), 1 << 18)
    assert flat[0] == flat[1]
    assert flat[0] * 0.8 == pytest.approx(flat[2] * 5.0, rel=0.3)


def test_slice_by_slice_sees_one_slice_and_never_looks_across():
    shape = dense_shape((128, 128, 20), (1.0, 1.0, 5.0), "2", None)
    assert shape.extent[2] == 1
    assert {kernel[2] for kernel in shape.kernels} == {1}
    assert {stride[2] for stride in shape.strides} == {1}


def test_with_neighbours_it_looks_across_at_full_size_only():
    shape = dense_shape((128, 128, 20), (1.0, 1.0, 5.0), "2.5", None)
    assert shape.extent[2] == 8
    assert [kernel[2] for kernel in shape.kernels] == [3] + [1] * (len(shape.kernels) - 1)


def test_an_asked_patch_is_rounded_to_what_the_steps_divide():
    shape = dense_shape((100, 100, 100), (1.0, 1.0, 1.0), "3", (50, 33, 20))
    for axis in range(3):
        step = 1
        for stride in shape.strides:
            step *= stride[axis]
        assert shape.extent[axis] % step == 0
        assert shape.extent[axis] <= (50, 33, 20)[axis]


def test_few_slices_far_apart_are_looked_at_one_by_one():
    assert choose_network((256, 256, 6), (1.0, 1.0, 8.0)) == "2"
    assert choose_network((256, 256, 30), (1.0, 1.0, 8.0)) == "3"


def test_whole_volumes_fit_into_a_cube_of_64():
    assert whole_shape((28, 28, 28), (1.0, 1.0, 1.0), "3", None).extent == (28, 28, 28)
    large = whole_shape((512, 512, 300), (0.7, 0.7, 1.0), "3", None)
    assert max(large.extent) == 64
    assert large.factor == 8.0
    assert max(whole_shape((512, 512, 300), (0.7, 0.7, 1.0), "3", 96).extent) == 96


def test_steps_of_an_even_grid_halve_all_axes_until_four_points_are_left():
    strides, kernels = plan_steps((1, 1, 1), (32, 48, 32))
    assert strides == ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2))
    assert set(kernels) == {(3, 3, 3)}


def test_a_coarse_axis_waits_until_the_others_have_caught_up():
    strides, kernels = plan_steps((1, 1, 5), (96, 96, 16))
    assert strides[1:3] == ((2, 2, 1), (2, 2, 1))
    assert strides[3] == (2, 2, 2)
    assert kernels[:2] == ((3, 3, 1), (3, 3, 1))
    assert kernels[2] == (3, 3, 3)


def test_the_steps_of_pictures_divide_the_extent():
    assert fit_steps((33, 128)) == (48, 128)
    strides, _ = picture_steps((48, 128))
    assert [side % prod(step) for side, *step in zip((48, 128), *strides, strict=True)] == [0, 0]
