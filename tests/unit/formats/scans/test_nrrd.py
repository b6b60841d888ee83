"""NRRD against SimpleITK, which writes and reads it; headers that make no sense refused."""

import bz2

import numpy as np
import pytest

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

ITK = made.SimpleITK
VALUES = np.random.default_rng(5).integers(-900, 3000, (5, 7, 6)).astype(np.int16)


def save(path, values=VALUES, zipped=False):
    image = ITK.GetImageFromArray(values)
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    row, column = np.array(made.oblique()[:3]), np.array(made.oblique()[3:])
    image.SetDirection(np.stack([row, column, np.cross(row, column)], axis=1).ravel().tolist())
    ITK.WriteImage(image, str(path), useCompression=zipped)
    return path


def change(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    return path


def refusal(path):
    with pytest.raises(ReadError) as caught:
        read_scan(path)
    return caught.value.findings[0].name


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_as_simpleitk(name, zipped, dtype, tmp_path):
    path = save(tmp_path / name, np.clip(VALUES, 0, 200).astype(dtype), zipped)
    found = read_scan(path)
    theirs = made.of_simpleitk(ITK.ReadImage(str(path)))
    assert np.array_equal(found.values, theirs.values)
    assert np.allclose(found.affine, theirs.affine)


@pytest.mark.parametrize("space", [b"right-anterior-superior", b"RAS", b"left-anterior-superior", b"LPS"])
def test_spaces(space, tmp_path):
    path = change(save(tmp_path / "a.nrrd"), b"left-posterior-superior", space)
    theirs = made.of_simpleitk(ITK.ReadImage(str(path)))
    assert np.allclose(read_scan(path).affine, theirs.affine)


def test_an_unknown_space_gives_the_spacing_alone(tmp_path):
    path = change(save(tmp_path / "a.nrrd"), b"space: left-posterior-superior", b"space: scanner-xyz")
    found = read_scan(path)
    assert found.affine is None
    assert found.spacing == pytest.approx((1.5, 2, 3))


def plain(path, extra=b"", packing=b"raw", content=None):
    """The shortest header, and voxels of 2 x 3 x 4."""
    voxels = np.arange(24, dtype="<i2").tobytes() if content is None else content
    head = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 3 4\nendian: little\nencoding: " + packing + b"\n" + extra
    path.write_bytes(head + b"\n" + voxels)
    return path


def test_spacings_alone(tmp_path):
    found = read_scan(plain(tmp_path / "a.nrrd", b"spacings: 1 2 3\n"))
    assert (found.affine, found.spacing) == (None, (1, 2, 3))
    assert found.values[1, 2, 3] == 23
    assert read_scan(plain(tmp_path / "b.nrrd")).spacing is None


def test_bzip2(tmp_path):
    packed = bz2.compress(np.arange(24, dtype="<i2").tobytes())
    assert read_scan(plain(tmp_path / "a.nrrd", packing=b"bzip2", content=packed)).values[1, 2, 3] == 23
    assert refusal(plain(tmp_path / "b.nrrd", packing=b"bzip2", content=packed[:-9])) == "damaged_volume"


@pytest.mark.parametrize(("unit", "factor"), [(b"mm", 1), (b"um", 0.001), (b"cm", 10), (b"parsec", None)])
def test_units(unit, factor, tmp_path):
    extra = b'spacings: 1 2 3\nspace units: "' + b'" "'.join([unit] * 3) + b'"\n'
    path = plain(tmp_path / "a.nrrd", extra)
    if factor is None:
        assert refusal(path) == "unknown_unit"
    else:
        assert read_scan(path).spacing == pytest.approx((factor, 2 * factor, 3 * factor))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (b"sizes: 2 3 4", b"sizes: 2 3 5", "doubtful_voxels"),
        (b"sizes: 2 3 4", b"sizes: 2 3 3", "doubtful_voxels"),
        (b"sizes: 2 3 4", b"sizes: 2 3 0", "damaged_header"),
        (b"sizes: 2 3 4", b"sizes: 2 3", "contradictory_header"),
        (b"sizes: 2 3 4", b"sizes: 60000 60000 60000", "volume_too_large"),
        (b"type: short", b"type: block", "unknown_depth"),
        (b"endian: little", b"endian: middle", "damaged_header"),
        (b"endian: little", b"endian: little\nendian: big", "damaged_header"),
        (b"encoding: raw", b"encoding: text", "unknown_form"),
        (b"encoding: raw", b"encoding: raw\nbyte skip: 2", "unknown_form"),
        (b"endian", b"kinds: RGB-color domain domain\nendian", "four_axes"),
        (b"endian", b"space directions: (1,0,0) (0,1,0) (0,0,nan)\nendian", "broken_affine"),
        (b"endian", b"space directions: (1,0,0) (1,0,0) (0,0,1)\nendian", "broken_affine"),
        (b"endian", b"space directions: (1,0,x) (1,0,0) (0,0,1)\nendian", "damaged_header"),
        (b"endian", b"data file: ../b.raw\nendian", "path_escapes"),
        (b"endian", b"data file: LIST\nendian", "unknown_form"),
    ],
)
def test_headers_that_make_no_sense(old, new, name, tmp_path):
    assert refusal(change(plain(tmp_path / "a.nrrd"), old, new)) == name


def test_four_axes(tmp_path):
    path = change(plain(tmp_path / "a.nrrd"), b"dimension: 3\nsizes: 2 3 4", b"dimension: 4\nsizes: 2 3 2 2")
    assert refusal(path) == "four_axes"
    change(path, b"sizes: 2 3 2 2", b"sizes: 2 3 4 1")
    assert read_scan(path).values.shape == (2, 3, 4)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("zipped", [False, True])
def test_cut_off(share, zipped, tmp_path):
    path = save(tmp_path / "a.nrrd", zipped=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(path) in ("damaged_header", "damaged_volume", "doubtful_voxels", "unknown_volume")
