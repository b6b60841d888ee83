"""Scans in arrays of archives."""

import io

import numpy as np
import pytest

from polyclinic.errors import ReadError
from polyclinic.formats.pictures.archive import OpenArrays
from polyclinic.formats.read_scan import read_scan

VALUES = np.random.default_rng(6).integers(0, 250, (5, 12, 10)).astype(np.uint8)
WIDE = VALUES.astype(np.uint16) * 200


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


def archive(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_arrays_of_an_archive(tmp_path):
    path = archive(tmp_path / "a.npz", x=np.stack([VALUES, VALUES // 2]), flags=np.stack([VALUES > 9] * 2))
    kept = OpenArrays()
    assert np.array_equal(read_scan("a.npz#x[1]", tmp_path, kept).values, VALUES // 2)
    path.unlink()
    assert np.array_equal(read_scan("a.npz#x[0]", tmp_path, kept).values, VALUES)  # it is open already


def test_arrays_that_are_no_volumes(tmp_path):
    path = archive(
        tmp_path / "a.npz",
        flat=VALUES,
        colour=np.zeros((2, 8, 8, 3), np.uint8),
        text=np.array([[[["a"]]]]),
        odd=np.full((1, 2, 2, 2), np.nan),
    )
    assert refusal(f"{path}#flat[0]") == "not_volumes"
    assert refusal(f"{path}#colour[0]") == "not_volumes"
    assert refusal(f"{path}#text[0]") == "not_volumes"
    assert refusal(f"{path}#odd[0]") == "not_finite"
    assert refusal(f"{path}#none[0]") == "no_such_array"
    assert refusal(f"{path}#odd[5]") == "no_such_image"
    assert refusal(f"{tmp_path}/b.npz#x[0]") == "no_such_file"


def test_an_archive_of_rubbish(tmp_path):
    (tmp_path / "a.npz").write_bytes(io.BytesIO(b"PK\3\4" + bytes(300)).getvalue())
    assert refusal(f"{tmp_path}/a.npz#x[0]") == "damaged_archive"
