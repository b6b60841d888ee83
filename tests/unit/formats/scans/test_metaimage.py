"""MetaImage against SimpleITK, which writes and reads it; headers that make no sense refused."""

import numpy as np
import pytest

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

ITK = made.SimpleITK
VALUES = np.random.default_rng(4).integers(-900, 3000, (5, 7, 6)).astype(np.int16)


def image(values=VALUES, turned=True):
    made_image = ITK.GetImageFromArray(values)
    made_image.SetSpacing((1.5, 2.0, 3.0))
    made_image.SetOrigin((10.0, -20.0, 30.0))
    if turned:
        row, column = np.array(made.oblique()[:3]), np.array(made.oblique()[3:])
        made_image.SetDirection(np.stack([row, column, np.cross(row, column)], axis=1).ravel().tolist())
    return made_image


def save(path, values=VALUES, zipped=False):
    ITK.WriteImage(image(values), str(path), useCompression=zipped)
    return path


def change(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    return path


def refusal(path):
    with pytest.raises(ReadError) as caught:
        read_scan(path)
    return caught.value.findings[0].name


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_as_simpleitk(name, zipped, dtype, tmp_path):
    path = save(tmp_path / name, np.clip(VALUES, 0, 200).astype(dtype), zipped)
    found = read_scan(path)
    theirs = made.of_simpleitk(ITK.ReadImage(str(path)))
    assert np.array_equal(found.values, theirs.values)
    assert np.allclose(found.affine, theirs.affine)
    assert found.spacing == pytest.approx((1.5, 2, 3))


def test_big_endian(tmp_path):
    path = save(tmp_path / "a.mha")
    raw = path.read_bytes()
    start = raw.index(b"LOCAL\n") + 6
    swapped = raw[:start] + np.frombuffer(raw[start:], "<i2").astype(">i2").tobytes()
    path.write_bytes(swapped.replace(b"OrderMSB = False", b"OrderMSB = True"))
    assert np.array_equal(read_scan(path).values, VALUES.transpose(2, 1, 0))


def test_without_spacing_the_place_is_not_known(tmp_path):
    path = change(save(tmp_path / "a.mha"), b"ElementSpacing = 1.5 2 3\n", b"")
    assert read_scan(path).affine is None


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (b"DimSize = 6 7 5", b"DimSize = 6 7 6", "doubtful_voxels"),
        (b"DimSize = 6 7 5", b"DimSize = 6 7 4", "doubtful_voxels"),
        (b"DimSize = 6 7 5", b"DimSize = 6 7 -5", "damaged_header"),
        (b"DimSize = 6 7 5", b"DimSize = 6 7 nan", "damaged_header"),
        (b"DimSize = 6 7 5", b"DimSize = 60000 60000 60000", "volume_too_large"),
        (b"NDims = 3", b"NDims = x", "damaged_header"),
        (b"NDims = 3", b"NDims = 3\nNDims = 2", "contradictory_header"),
        (b"ElementSpacing = 1.5", b"ElementSpacing = 0", "broken_affine"),
        (b"ElementSpacing = 1.5", b"ElementSpacing = nan", "broken_affine"),
        (b"Offset = 10", b"Offset = inf", "broken_affine"),
        (b"TransformMatrix = 0", b"TransformMatrix = 7", "broken_affine"),
        (b"MET_SHORT", b"MET_SHORT_ARRAY", "unknown_depth"),
        (b"BinaryData = True", b"BinaryData = False", "unknown_form"),
        (b"ElementType", b"ElementNumberOfChannels = 3\nElementType", "four_axes"),
        (b"LOCAL", b"LIST", "unknown_form"),
        (b"LOCAL", b"a%02d.raw 1 5 1", "unknown_form"),
        (b"LOCAL", b"../a.raw", "path_escapes"),
        (b"LOCAL", b"/etc/passwd", "path_escapes"),
        (b"LOCAL", b"none.raw", "no_such_file"),
    ],
)
def test_headers_that_make_no_sense(old, new, name, tmp_path):
    assert refusal(change(save(tmp_path / "a.mha"), old, new)) == name


def test_a_link_that_leads_elsewhere(tmp_path):
    (tmp_path / "in").mkdir()
    path = save(tmp_path / "in" / "a.mhd")
    (tmp_path / "in" / "a.raw").rename(tmp_path / "secret.raw")
    (tmp_path / "in" / "a.raw").symlink_to(tmp_path / "secret.raw")
    assert refusal(path) == "path_escapes"


def test_four_axes(tmp_path):
    path = tmp_path / "a.mha"
    ITK.WriteImage(ITK.JoinSeries([image(turned=False)] * 2), str(path))
    assert refusal(path) == "four_axes"
    ITK.WriteImage(ITK.JoinSeries([image(turned=False)]), str(path))
    assert np.array_equal(read_scan(path).values, VALUES.transpose(2, 1, 0))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("zipped", [False, True])
def test_cut_off(share, zipped, tmp_path):
    path = save(tmp_path / "a.mha", zipped=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(path) in ("damaged_header", "damaged_volume", "doubtful_voxels", "unknown_volume")
