"""NIfTI against nibabel and SimpleITK; broken or contradictory geometry refused; masks in the same geometry."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.scans import nifti

nib = pytest.importorskip("nibabel")

TURNED = np.array([[0.1, -1.9, 0.2, 10], [2.0, 0.1, 0, -20], [0.05, -0.3, 3.1, 30], [0, 0, 0, 1.0]])
VALUES = np.random.default_rng(3).integers(-900, 3000, (6, 7, 5)).astype(np.int16)


def rotated(steps=(1.0, 2.0, 3.0), angle=0.4):
    """An affine that a quaternion can hold."""
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * steps, (5, -6, 7)
    return affine


def save(path, values=VALUES, affine=None, second=False, **fields):
    kind = nib.Nifti2Image if second else nib.Nifti1Image
    image = kind(values, rotated() if affine is None else affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(rotated() if affine is None else affine, code=1)
    image.set_sform(rotated() if affine is None else affine, code=1)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def patch(path, field, value):
    """Overwrite one field of the header in the file, unchecked."""
    raw = bytearray(path.read_bytes())
    header = np.frombuffer(raw, dtype=nib.nifti1.header_dtype, count=1)
    changed = header.copy()
    changed[field] = value
    raw[: changed.nbytes] = changed.tobytes()
    path.write_bytes(raw)
    return path


def refusal(path):
    with pytest.raises(ReadError) as caught:
        read_scan(path)
    return caught.value.findings[0].name


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, np.int8])
def test_as_nibabel_and_simpleitk(name, second, dtype, tmp_path):
    values = np.clip(VALUES, 0, 120).astype(dtype)
    path = save(tmp_path / name, values, second=second)
    found = read_scan(path)
    theirs = nib.load(path)
    assert np.array_equal(found.values, np.asarray(theirs.dataobj))
    assert np.allclose(found.affine, theirs.affine)
    assert found.values.dtype == (
        np.uint8 if dtype == np.uint8 else np.float32 if np.dtype(dtype).kind == "f" else np.int16
    )
    if second:  # SimpleITK does not know NIfTI-2
        return
    other = made.of_simpleitk(made.SimpleITK.ReadImage(str(path)))
    assert made.verdict(made.Truth(found.values.astype(float), found.affine), other) == "right"


def test_scaled_values(tmp_path):
    image = nib.Nifti1Image(VALUES, rotated())
    image.header.set_slope_inter(0.5, -7)
    nib.save(image, tmp_path / "a.nii")
    patch(tmp_path / "a.nii", "scl_slope", 0.5)
    patch(tmp_path / "a.nii", "scl_inter", -7)
    found = read_scan(tmp_path / "a.nii")
    assert found.values.dtype == np.float32
    assert np.array_equal(found.values, nib.load(tmp_path / "a.nii").get_fdata())


@pytest.mark.parametrize("slope", [0, np.nan])
def test_no_slope_is_no_scaling(slope, tmp_path):
    path = patch(save(tmp_path / "a.nii"), "scl_slope", slope)
    assert np.array_equal(read_scan(path).values, VALUES)


def test_big_endian(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    image = nib.Nifti1Image(VALUES, rotated(), header)
    nib.save(image, tmp_path / "a.nii")
    found = read_scan(tmp_path / "a.nii")
    assert np.array_equal(found.values, VALUES)
    assert found.values.dtype == np.dtype(np.int16)


def test_a_sheared_affine_is_kept_and_told(tmp_path):
    path = save(tmp_path / "a.nii")
    patch(path, "qform_code", 0)
    for row, name in enumerate(("srow_x", "srow_y", "srow_z")):
        patch(path, name, TURNED[row])
    patch(path, "pixdim", [1, 2.0031, 1.926, 3.1064, 1, 1, 1, 1])
    found = read_scan(path)
    assert np.allclose(found.affine, TURNED, atol=1e-6)
    assert [note.name for note in found.notes] == ["sheared_volume"]


@pytest.mark.parametrize(("unit", "factor"), [(1, 1000), (2, 1), (3, 0.001), (0, 1)])
def test_units(unit, factor, tmp_path):
    path = patch(save(tmp_path / "a.nii", affine=rotated((1.0, 1.0, 1.0))), "xyzt_units", unit)
    if factor == 1000:
        patch(path, "srow_x", [0.001, 0, 0, 0])
        patch(path, "srow_y", [0, 0.001, 0, 0])
        patch(path, "srow_z", [0, 0, 0.001, 0])
        patch(path, "pixdim", [1, 0.001, 0.001, 0.001, 1, 1, 1, 1])
        patch(path, "qform_code", 0)
    found = read_scan(path)
    assert found.spacing == pytest.approx((1.0, 1.0, 1.0) if factor >= 1 else (0.001,) * 3, rel=1e-5)


def test_unknown_unit(tmp_path):
    assert refusal(patch(save(tmp_path / "a.nii"), "xyzt_units", 5)) == "contradictory_header"


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_affine_that_is_no_number(bad, tmp_path):
    assert refusal(patch(save(tmp_path / "a.nii"), "srow_x", [bad, 0, 0, 0])) == "broken_affine"


def test_singular_affine(tmp_path):
    path = patch(save(tmp_path / "a.nii"), "srow_y", nib.load(tmp_path / "a.nii").header["srow_x"])
    assert refusal(path) == "broken_affine"
    assert refusal(patch(path, "srow_y", [0, 0, 0, 0])) == "broken_affine"


def test_quaternion_longer_than_1(tmp_path):
    assert refusal(patch(save(tmp_path / "a.nii"), "quatern_b", 3)) == "broken_affine"


def test_forms_that_contradict(tmp_path):
    path = patch(save(tmp_path / "a.nii"), "qoffset_x", 9)
    assert refusal(path) == "contradictory_affine"
    patch(path, "qoffset_x", 5.3)  # less than half a step of 1 mm
    assert np.allclose(read_scan(path).affine, rotated(), atol=1e-6)
    patch(path, "qoffset_x", 9)
    patch(path, "qform_code", 0)
    assert np.allclose(read_scan(path).affine, rotated(), atol=1e-6)


def test_spacing_that_contradicts(tmp_path):
    path = patch(save(tmp_path / "a.nii"), "qform_code", 0)
    patch(path, "pixdim", [1, 4, 2, 3, 1, 1, 1, 1])
    assert refusal(path) == "contradictory_header"


def test_without_forms_the_spacing_alone_is_known(tmp_path):
    path = patch(patch(save(tmp_path / "a.nii"), "sform_code", 0), "qform_code", 0)
    found = read_scan(path)
    assert found.affine is None
    assert found.spacing == pytest.approx((1, 2, 3))
    assert read_scan(patch(path, "pixdim", 0)).spacing is None
    assert refusal(patch(path, "pixdim", np.nan)) == "broken_affine"


def test_four_axes(tmp_path):
    assert refusal(save(tmp_path / "a.nii", np.zeros((4, 5, 6, 2), np.int16))) == "four_axes"
    assert read_scan(save(tmp_path / "b.nii", np.zeros((4, 5, 6, 1, 1), np.int16))).values.shape == (4, 5, 6)
    assert read_scan(save(tmp_path / "c.nii", np.zeros((4, 5), np.int16))).values.shape == (4, 5, 1)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cut_off(name, share, tmp_path):
    path = save(tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert refusal(path) in ("damaged_volume", "doubtful_voxels", "unknown_volume")


def test_more_voxels_than_declared(tmp_path):
    path = save(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes() + b"\0\0")
    assert refusal(path) == "doubtful_voxels"


def test_a_changed_byte_in_a_zip_is_noticed(tmp_path):
    path = save(tmp_path / "a.nii.gz")
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 1  # the checksum
    path.write_bytes(raw)
    assert refusal(path) == "damaged_volume"


def test_a_bomb_is_refused_before_it_unfolds(tmp_path):
    path = save(tmp_path / "a.nii", np.zeros((4, 5, 6), np.int16))
    patch(path, "dim", [3, 30000, 30000, 30000, 1, 1, 1, 1])
    assert refusal(path) == "volume_too_large"
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(path.read_bytes() + bytes(50_000_000)))
    assert refusal(tmp_path / "b.nii.gz") == "volume_too_large"
    path = save(tmp_path / "c.nii", np.zeros((4, 5, 6), np.int16))
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress(path.read_bytes() + bytes(50_000_000)))
    assert refusal(tmp_path / "c.nii.gz") == "doubtful_voxels"


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("datatype", 128, "unknown_depth"),
        ("datatype", 32, "unknown_depth"),
        ("datatype", 9999, "unknown_depth"),
        ("bitpix", 8, "contradictory_header"),
        ("dim", [0, 6, 7, 5, 1, 1, 1, 1], "contradictory_header"),
        ("dim", [3, 6, -7, 5, 1, 1, 1, 1], "contradictory_header"),
        ("vox_offset", np.nan, "contradictory_header"),
        ("vox_offset", 10, "contradictory_header"),
        ("vox_offset", 1e30, "contradictory_header"),
        ("scl_slope", np.inf, "contradictory_header"),
    ],
)
def test_headers_that_make_no_sense(field, value, name, tmp_path):
    assert refusal(patch(save(tmp_path / "a.nii"), field, value)) == name


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_voxels_that_are_no_numbers(bad, tmp_path):
    values = VALUES.astype(np.float32)
    values[1, 1, 1] = bad
    assert refusal(save(tmp_path / "a.nii", values)) == "not_finite"


def test_a_mask_has_the_geometry_of_its_source_to_the_last_bit(tmp_path):
    source = save(tmp_path / "a.nii.gz", descrip=b"PATIENT")
    labels = (VALUES > 1000).astype(np.uint8)
    content = nifti.nifti_bytes(labels, nifti.read_header(source), None)
    (tmp_path / "m.nii.gz").write_bytes(content)
    theirs, mine = nib.load(source), nib.load(tmp_path / "m.nii.gz")
    assert np.array_equal(mine.affine, theirs.affine)
    assert np.array_equal(np.asarray(mine.dataobj), labels)
    for field in ("qform_code", "sform_code", "quatern_b", "srow_x", "xyzt_units"):
        assert np.array_equal(mine.header[field], theirs.header[field])
    assert mine.header["descrip"].item() == b""
    assert content == nifti.nifti_bytes(labels, nifti.read_header(source), None)


@pytest.mark.skipif("POLYCLINIC_DATA" not in os.environ, reason="needs the public volumes")
def test_the_hippocampus_of_the_decathlon():
    folder = Path(os.environ["POLYCLINIC_DATA"]) / "volumes" / "msd_task04_hippocampus" / "images"
    for path in sorted(folder.iterdir())[:5]:
        found, theirs = read_scan(path), nib.load(path)
        assert np.array_equal(found.values, theirs.get_fdata(dtype=np.float32))
        assert np.allclose(found.affine, theirs.affine)
