"""Masks of every format, flat and solid."""

import numpy as np
import pytest
from PIL import Image

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_mask import read_mask

nib = pytest.importorskip("nibabel")
LABELS = np.random.default_rng(7).integers(0, 4, (9, 13)).astype(np.uint8)
SOLID = np.random.default_rng(8).integers(0, 4, (6, 7, 5)).astype(np.uint8)


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_mask(cell)
    return caught.value.findings[0].name


def save(path, image, **keys):
    image.save(path, **keys)
    return path


def test_solid_masks(tmp_path):
    affine = np.diag([1.0, 2, 3, 1])
    nib.save(nib.Nifti1Image(SOLID, affine), tmp_path / "a.nii.gz")
    nib.save(nib.Nifti1Image(SOLID.astype(np.float64), affine), tmp_path / "b.nii")
    image = made.SimpleITK.GetImageFromArray(SOLID.transpose(2, 1, 0))
    for name in ("a.mha", "a.nrrd"):
        made.SimpleITK.WriteImage(image, str(tmp_path / name))
    for name in ("a.nii.gz", "b.nii", "a.mha", "a.nrrd"):
        found = read_mask(tmp_path / name)
        assert np.array_equal(found.labels, SOLID)
        assert found.values == (0, 1, 2, 3)
        assert found.labels.dtype == np.uint8
    assert np.array_equal(read_mask(tmp_path / "a.nii.gz").affine, affine)
    nib.save(nib.Nifti1Image(SOLID / 3, affine), tmp_path / "c.nii")
    assert refusal(tmp_path / "c.nii") == "not_labels"


def test_archives(tmp_path):
    np.savez(tmp_path / "a.npz", flat=np.stack([LABELS] * 2), solid=SOLID[None], flags=SOLID[None] > 1)
    assert np.array_equal(read_mask("a.npz#flat[1]", tmp_path).labels, LABELS)
    assert np.array_equal(read_mask("a.npz#solid[0]", tmp_path).labels, SOLID)
    assert read_mask("a.npz#flags[0]", tmp_path).values == (0, 1)
    assert refusal(f"{tmp_path}/a.npz#flat[2]") == "no_such_image"


def test_pages_of_a_tiff(tmp_path):
    pages = [Image.fromarray(SOLID[:, :, k].T) for k in range(5)]
    path = save(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:])
    assert np.array_equal(read_mask(path).labels, SOLID)


def test_nothing_there(tmp_path):
    assert refusal(tmp_path / "none.png") == "no_such_file"
    (tmp_path / "empty.png").write_bytes(b"")
    assert refusal(tmp_path / "empty.png") == "empty_file"
    assert refusal(tmp_path) == "not_a_mask"
