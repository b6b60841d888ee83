"""A folder of numbered slices."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

VALUES = np.random.default_rng(6).integers(0, 250, (5, 12, 10)).astype(np.uint8)
WIDE = VALUES.astype(np.uint16) * 200


def folder(path, slices=VALUES, name="slice_{}.png", start=1):
    path.mkdir()
    for number, one in enumerate(slices, start=start):
        Image.fromarray(one).save(path / name.format(number))
    return path


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


def test_slices_in_the_order_of_their_numbers(tmp_path):
    slices = np.tile(np.arange(12, dtype=np.uint8)[:, None, None], (1, 4, 3))
    found = read_scan(folder(tmp_path / "a", slices))  # slice_10 comes after slice_9
    assert found.values[0, 0].tolist() == list(range(12))
    assert found.affine is None
    assert read_scan(folder(tmp_path / "b", slices, "p7_{:03d}.tif", 0)).values[0, 0].tolist() == list(range(12))


@pytest.mark.parametrize(
    ("extra", "name"),
    [("slice_7.png", "missing_slices"), ("slice_05.png", "missing_slices"), ("other.png", "mixed_series")],
)
def test_names_that_do_not_tell_the_order(extra, name, tmp_path):
    path = folder(tmp_path / "a")
    (path / extra).write_bytes((path / "slice_1.png").read_bytes())
    assert refusal(path) == name


def test_two_numbers_that_change(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    for number in range(4):
        Image.fromarray(VALUES[number]).save(path / f"t{number % 2}_z{number // 2}.png")
    assert refusal(path) == "no_order"


def test_a_damaged_slice_and_a_folder_in_the_folder(tmp_path):
    path = folder(tmp_path / "a")
    (path / "slice_3.png").write_bytes(b"\x89PNG")
    assert refusal(path) in ("damaged_image", "unknown_image")
    (path / "more").mkdir()
    assert refusal(path) == "foreign_files"
