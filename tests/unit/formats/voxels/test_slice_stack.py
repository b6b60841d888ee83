"""Slices of one volume must be alike."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

VALUES = np.random.default_rng(6).integers(0, 250, (5, 12, 10)).astype(np.uint8)
WIDE = VALUES.astype(np.uint16) * 200


def tiff(path, slices=VALUES, **keys):
    pages = [Image.fromarray(one) for one in slices]
    pages[0].save(path, save_all=True, append_images=pages[1:], **keys)
    return path


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


def test_pages_of_two_sizes_and_colours(tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", [VALUES[0], VALUES[1][:5]])) == "mixed_images"
    colour = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3)).astype(np.uint8)
    assert refusal(tiff(tmp_path / "b.tif", colour)) == "colour_volume"
