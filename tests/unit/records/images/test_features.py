"""Plain features say what they promise."""

import io

import numpy as np
from PIL import Image

from polyclinic.formats.pictures import raster
from polyclinic.records.images.features import NAMES, describe
from polyclinic.records.images.png import heated_png


def frame(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return raster.read(stream.getvalue())


def named(array):
    return dict(zip(NAMES, describe(frame(array)), strict=True))


def test_names_are_unique():
    assert len(set(NAMES)) == len(NAMES)


def test_brightness_and_place():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:8, 56:] = 255
    found = named(pixels)
    assert found["thumbnail_0_7"] > 0.9
    assert found["thumbnail_7_0"] == 0
    assert np.isclose(found["mean_red"], 1 / 64, atol=1e-3)
    assert found["histogram_0"] > 0.95


def test_direction_of_edges():
    upright = named(np.tile(np.repeat([0, 255], 16).astype(np.uint8), (32, 1)))
    lying = named(np.tile(np.repeat([0, 255], 16).astype(np.uint8), (32, 1)).T.copy())
    across = sum(value for name, value in upright.items() if name.startswith("edges_") and name.endswith("_0"))
    along = sum(value for name, value in lying.items() if name.startswith("edges_") and name.endswith("_4"))
    assert across > 0.99
    assert along > 0.99


def test_every_size_and_colour_gives_numbers():
    rng = np.random.default_rng(0)
    for shape in [(1, 1), (3, 200), (50, 50, 3), (28, 28)]:
        assert np.isfinite(describe(frame(rng.integers(0, 256, shape, dtype=np.uint8)))).all()
    assert np.isfinite(describe(frame(np.zeros((5, 5), np.uint8)))).all()


def test_drawing():
    image = Image.open(io.BytesIO(heated_png(frame(np.full((40, 20), 100, np.uint8)))))
    assert image.size == (128, 256)
    assert np.asarray(image).min() == np.asarray(image).max() == 100
    assert Image.open(io.BytesIO(heated_png(frame(np.zeros((2, 3), np.uint8))))).size == (24, 16)


def test_heat():
    heat = np.zeros((7, 7), np.float32)
    heat[0, 0], heat[6, 6] = 2, -2
    drawn = np.asarray(Image.open(io.BytesIO(heated_png(frame(np.full((28, 28), 100, np.uint8)), heat)))).astype(int)
    assert drawn[5, 5, 0] > drawn[5, 5, 2] + 40  # red where it raises
    assert drawn[-5, -5, 2] > drawn[-5, -5, 0] + 40  # blue where it lowers
    assert np.abs(drawn[112, 112] - 100).max() < 12  # nothing where there is nothing
