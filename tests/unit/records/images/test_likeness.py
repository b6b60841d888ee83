"""Doubles are found after another encoding, others are told apart."""

import io

import numpy as np
import pytest
from PIL import Image

from polyclinic.formats.pictures import raster
from polyclinic.records.images.likeness import SAME, difference, fingerprints


def scene(seed, side=48):
    """Smooth blobs with a little grain, as different from one another as two patients."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[0:side, 0:side] / side
    field = np.zeros((side, side))
    for _ in range(8):
        y, x, width, height = rng.random(4)
        field += height * np.exp(-((row - y) ** 2 + (column - x) ** 2) / (0.005 + 0.05 * width))
    field = 200 * field / field.max() + 4 * rng.standard_normal((side, side))
    return np.clip(field + 20, 0, 255).astype(np.uint8)


def saved(array, form="PNG", size=None, **keys):
    stream = io.BytesIO()
    image = Image.fromarray(array)
    if size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    image.save(stream, form, **keys)
    return raster.read(stream.getvalue())


def test_lossless_encodings_are_one():
    grey = scene(0)
    deep = grey.astype(np.uint16) * 257
    prints = fingerprints([saved(grey), saved(grey, "TIFF"), saved(deep), saved(deep, "TIFF"), None, saved(scene(1))])
    assert len(set(prints[:4].tolist())) == 1
    assert prints[4] == 0
    assert prints[5] not in (0, prints[0])


@pytest.mark.parametrize(
    "keys", [{"quality": 95}, {"quality": 80}, {"quality": 95, "size": (96, 96)}, {"quality": 95, "size": (36, 36)}]
)
def test_lossy_encodings_and_other_sizes_are_one(keys):
    scenes = [scene(seed) for seed in range(20)]
    prints = fingerprints([saved(one) for one in scenes] + [saved(one, "JPEG", **keys) for one in scenes])
    assert np.array_equal(prints[:20], prints[20:])
    assert len(set(prints.tolist())) == 20


def test_different_images_are_told_apart():
    prints = fingerprints([saved(scene(seed)) for seed in range(300)])
    assert len(set(prints.tolist())) == 300


def test_a_shared_background_does_not_make_doubles():
    """Noise of their own on one common scene: the same view of other patients."""
    common = scene(0).astype(float)
    rng = np.random.default_rng(1)
    views = [np.clip(common + 25 * rng.standard_normal(common.shape), 0, 255).astype(np.uint8) for _ in range(30)]
    assert len(set(fingerprints([saved(view) for view in views]).tolist())) == 30


def test_plain_images():
    black, white = np.zeros((9, 9), np.uint8), np.full((9, 9), 255, np.uint8)
    prints = fingerprints([saved(black), saved(white), saved(black, "TIFF"), saved(np.zeros((30, 30), np.uint8))])
    assert prints[0] == prints[2]
    assert prints[0] != prints[1]


def test_order_does_not_matter_to_who_is_one():
    scenes = [saved(scene(seed)) for seed in range(5)] + [saved(scene(2), "JPEG", quality=90)]
    there, back = fingerprints(scenes), fingerprints(scenes[::-1])[::-1]
    assert np.array_equal(there, back)


def test_none_and_one():
    assert fingerprints([]).tolist() == []
    assert fingerprints([None, None]).tolist() == [0, 0]
    assert fingerprints([saved(scene(0))])[0] != 0


def test_difference():
    one = scene(0).astype(float)
    assert difference(one, one) == 0
    assert 0 < difference(one, one + 0.01 * one.std()) < SAME
    assert difference(one, scene(1).astype(float)) > 3 * SAME
    assert difference(np.zeros((2, 2)), np.zeros((2, 2))) == 0
    assert difference(np.zeros((2, 2)), np.ones((2, 2))) == 1
