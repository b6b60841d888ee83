"""One size for all, and what training images have in common."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.records.images import stack as module
from polyclinic.records.images.decoded import decode
from polyclinic.records.images.stack import common_extent, has_colour, intensity, stack


@pytest.fixture
def write(tmp_path):
    def write(*arrays):
        names = []
        for number, array in enumerate(arrays):
            names.append(None if array is None else f"{number}.png")
            if array is not None:
                Image.fromarray(array).save(tmp_path / names[-1])
        return decode(names, tmp_path)

    return write


def noise(*shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def test_bytes_stay_bytes(write):
    images = [noise(9, 9, seed=i) for i in range(3)]
    made = stack(write(images[0], None, images[1], images[2]), (9, 9), 1, None)
    assert made.pixels.dtype == np.uint8
    assert made.entry.tolist() == [0, -1, 1, 2]
    assert np.array_equal(made.pixels[:, :, :, 0], images)


def test_mixed_depths_sizes_and_colours(write):
    made = stack(write(noise(9, 9), noise(30, 20, dtype=np.uint16), noise(5, 7, 3)), (12, 12), 3, None)
    assert made.pixels.shape == (3, 12, 12, 3)
    assert made.pixels.dtype == np.uint16
    grey8 = stack(write(np.full((4, 4), 128, np.uint8), np.full((4, 4), 32896, np.uint16)), (4, 4), 1, None)
    assert (grey8.pixels == 32896).all()  # 128 / 255 = 32896 / 65535


def test_take_scales_and_masks(write):
    made = stack(write(np.full((4, 4), 51, np.uint8), None, np.full((4, 4), 204, np.uint8)), (4, 4), 1, None)
    pixels, present = made.take(np.array([2, 1, 0]), (0.2,), (0.3,))
    assert present.tolist() == [True, False, True]
    assert pixels.dtype == np.float32
    assert np.allclose(pixels[0], 2, atol=1e-5)
    assert (pixels[1] == 0).all()
    assert np.allclose(pixels[2], 0, atol=1e-6)


def test_all_absent(write):
    made = stack(write(None, None), (8, 6), 3, None)
    pixels, present = made.take(np.array([0, 1]), (0.5,) * 3, (0.1,) * 3)
    assert pixels.shape == (2, 8, 6, 3)
    assert not present.any()
    assert common_extent(write(None), []) == (64, 64)


def test_large_stacks_are_mapped(write, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_IN_MEMORY", 10)
    decoded = write(noise(9, 9), noise(8, 8))
    mapped = stack(decoded, (5, 5), 1, tmp_path / "cache").pixels
    assert isinstance(mapped.base.base, np.memmap) or isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, stack(decoded, (5, 5), 1, None).pixels)


@pytest.mark.parametrize(
    ("shapes", "extent"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(20, 30)] * 3, (20, 30)),
        ([(300, 300), (310, 310)], (128, 128)),
        ([(100, 50), (200, 100)], (128, 64)),
        ([(100, 50), (50, 100)], (96, 96)),
        ([(28, 28), (34, 30)], (32, 32)),
        ([(7, 2000)], (16, 128)),
    ],
)
def test_common_extent(write, shapes, extent):
    decoded = write(*(noise(*shape, seed=i) for i, shape in enumerate(shapes)))
    assert common_extent(decoded, range(len(shapes))) == extent


def test_only_the_rows_given_count(write):
    decoded = write(noise(28, 28), noise(90, 90, 3))
    assert common_extent(decoded, [0]) == (28, 28)
    assert not has_colour(decoded, [0])
    assert has_colour(decoded, [0, 1])


def test_intensity(write):
    images = [noise(16, 16, seed=i) for i in range(4)]
    mean, spread = intensity(write(*images), range(4), 1)
    assert np.isclose(mean[0], np.mean(images) / 255)
    assert np.isclose(spread[0], np.std(images) / 255)
    assert intensity(write(np.full((4, 4), 51, np.uint8)), [0], 1) == ((pytest.approx(0.2),), (1.0,))
    assert len(intensity(write(*images), range(4), 3)[0]) == 3


def test_many_images_are_sampled_evenly(write, monkeypatch):
    monkeypatch.setattr(module, "_MOST_MEASURED", 3)
    images = [np.full((2, 2), level, np.uint8) for level in (0, 10, 20, 30, 255)]
    assert intensity(write(*images), range(5), 1)[0][0] == pytest.approx((0 + 20 + 255) / 3 / 255)
