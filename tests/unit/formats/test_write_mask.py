"""Masks written in the geometry of their source."""

import numpy as np
import pytest
from PIL import Image

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.write_mask import write_mask

nib = pytest.importorskip("nibabel")
LABELS = np.random.default_rng(7).integers(0, 4, (9, 13)).astype(np.uint8)
SOLID = np.random.default_rng(8).integers(0, 4, (6, 7, 5)).astype(np.uint8)


def save(path, image, **keys):
    image.save(path, **keys)
    return path


def test_flat_masks_are_written_as_png(tmp_path):
    source = save(tmp_path / "s.jpg", Image.fromarray(np.zeros((9, 13, 3), np.uint8)))
    path = write_mask(LABELS, source, tmp_path / "m.dcm")
    assert path == tmp_path / "m.png"
    assert np.array_equal(read_mask(path).labels, LABELS)
    layers = np.stack([LABELS == 1, LABELS == 2]).astype(np.uint8)
    drawn = read_mask(write_mask(layers, None, tmp_path / "n", ["a", "b"])).labels
    assert np.array_equal(drawn, np.where(LABELS > 2, 0, LABELS))


def test_solid_masks_are_written_as_nifti(tmp_path):
    affine = np.array([[0, -2.0, 0, 9], [1.5, 0, 0, -8], [0, 0, 3.0, 7], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(SOLID.astype(np.int16), affine), tmp_path / "s.nii")
    image = made.SimpleITK.GetImageFromArray(SOLID.transpose(2, 1, 0))
    image.SetOrigin((1, 2, 3))
    made.SimpleITK.WriteImage(image, str(tmp_path / "s.mha"))
    for name in ("s.nii", "s.mha"):
        source = read_scan(tmp_path / name)
        for like in (tmp_path / name, source):
            found = read_mask(write_mask(SOLID, like, tmp_path / "m.out"))
            assert np.array_equal(found.labels, SOLID)
            assert np.allclose(found.affine, source.affine)


def test_a_mask_of_a_multi_frame_file_has_its_geometry(tmp_path):
    path, _ = made.CASES["enhanced with rescale in groups"](tmp_path / "s")
    scan = read_scan(path)
    drawn = (scan.values > 0).astype(np.uint8)
    found = read_mask(write_mask(drawn, path, tmp_path / "m"))
    assert np.array_equal(found.labels, drawn)
    assert np.allclose(found.affine, scan.affine, atol=1e-4)


def test_masks_that_cannot_be_written(tmp_path):
    nib.save(nib.Nifti1Image(SOLID.astype(np.int16), np.eye(4)), tmp_path / "s.nii")
    both = np.ones((2, *SOLID.shape), np.uint8)
    with pytest.raises(ReadError, match="regions overlap"):
        write_mask(both, tmp_path / "s.nii", tmp_path / "m", ["a", "b"])
    with pytest.raises(ReadError, match="must have the shape"):
        write_mask(SOLID[1:], tmp_path / "s.nii", tmp_path / "m")
    both[1] = 0
    assert read_mask(write_mask(both, tmp_path / "s.nii", tmp_path / "m", ["a", "b"])).values == (1,)
